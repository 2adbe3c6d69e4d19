/** A member of the raft group: a safe integer above 0. `NO_NODE` stands for "nobody". */
export type NodeNumber = number;

export const NO_NODE: NodeNumber = 0;

/** The name of a node in log lines: its number in hexadecimal. */
export function nodeName(id: NodeNumber): string {
  return id.toString(16);
}

export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);

export type EntryType = "EntryNormal" | "EntryConfChange" | "EntryConfChangeV2";

/** One slot of the replicated log. (term, index) names it uniquely in the life of the group. */
export interface Entry {
  readonly term: number;
  readonly index: number;
  readonly type: EntryType;
  /** The command, or an encoded configuration change (`encodeConfChange`). Empty for the entry that opens a term. */
  readonly data: Uint8Array;
}

/** The position of an entry in the log, without its content. */
export interface EntryId {
  readonly term: number;
  readonly index: number;
}

/** What must be on disk before a message that depends on it leaves the node (thesis, figure 3.1, "persistent state"). */
export interface HardState {
  readonly term: number;
  readonly vote: NodeNumber;
  readonly commit: number;
}

export const EMPTY_HARD_STATE: HardState = { term: 0, vote: NO_NODE, commit: 0 };

export function isEmptyHardState(state: HardState): boolean {
  return state.term === 0 && state.vote === NO_NODE && state.commit === 0;
}

export function hardStatesEqual(left: HardState, right: HardState): boolean {
  return left.term === right.term && left.vote === right.vote && left.commit === right.commit;
}

/** A membership in the form that is stored and sent: `votersOutgoing` is empty unless the membership is joint. */
export interface ConfState {
  readonly voters: readonly NodeNumber[];
  readonly votersOutgoing: readonly NodeNumber[];
  readonly learners: readonly NodeNumber[];
  /** Outgoing voters that become learners when the joint membership is left. */
  readonly learnersNext: readonly NodeNumber[];
  readonly autoLeave: boolean;
}

export const EMPTY_CONF_STATE: ConfState = {
  voters: [],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

export interface SnapshotMetadata {
  readonly index: number;
  readonly term: number;
  /** The membership as of `index`. */
  readonly confState: ConfState;
}

/** The applied state up to and including `metadata.index`. `data` is opaque to raft. */
export interface Snapshot {
  readonly data: Uint8Array;
  readonly metadata: SnapshotMetadata;
}

export const EMPTY_SNAPSHOT: Snapshot = {
  data: EMPTY_BYTES,
  metadata: { index: 0, term: 0, confState: EMPTY_CONF_STATE },
};

/** A snapshot of index 0 stands for no snapshot at all. */
export function isEmptySnapshot(snapshot: Snapshot): boolean {
  return snapshot.metadata.index === 0;
}

/** The fixed part of an entry on the wire: term, index, type and length. */
const ENTRY_OVERHEAD_BYTES = 16;

/** Size in bytes of the commands alone, as the limits of uncommitted and in-flight data count it. */
export function payloadsBytes(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + entry.data.length, 0);
}

/** Size in bytes of whole entries, as the limits of messages and Readys count it. */
export function entriesBytes(entries: readonly Entry[]): number {
  return payloadsBytes(entries) + entries.length * ENTRY_OVERHEAD_BYTES;
}

/**
 * A copy of the entries from position `start` (included) to `end` (excluded), cut to `maxBytes`, but always with at least
 * one entry, so that a large one still makes progress. Looks at no more entries than it returns.
 */
export function sliceEntries(
  entries: readonly Entry[],
  start: number,
  end: number,
  maxBytes: number,
): Entry[] {
  let stop = end;
  let bytes = 0;
  for (let position = start; position < stop && maxBytes < Infinity; position += 1) {
    bytes += (entries[position]?.data.length ?? 0) + ENTRY_OVERHEAD_BYTES;
    if (position > start && bytes > maxBytes) stop = position;
  }
  return entries.slice(start, stop);
}
