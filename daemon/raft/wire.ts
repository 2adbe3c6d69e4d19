import type { RaftEntry, RaftEntry__Output } from "../../proto/gen/gpumesh/v1/RaftEntry.ts";
import type { RaftMessage, RaftMessage__Output } from "../../proto/gen/gpumesh/v1/RaftMessage.ts";
import type { RaftSnapshot, RaftSnapshot__Output } from "../../proto/gen/gpumesh/v1/RaftSnapshot.ts";
import { PROPOSAL_BYTES_MAX } from "./core-config.ts";
import { message as coreMessage } from "./core/core.ts";
import type { Entry, EntryType, Message, MessageType, Snapshot } from "./core/core.ts";

/** The types that travel. Proposals do not: whoever proposes asks the leader's store. */
export const WIRE_TYPES = [
  "MsgApp",
  "MsgAppResp",
  "MsgVote",
  "MsgVoteResp",
  "MsgSnap",
  "MsgHeartbeat",
  "MsgHeartbeatResp",
  "MsgTransferLeader",
  "MsgTimeoutNow",
  "MsgReadIndex",
  "MsgReadIndexResp",
  "MsgPreVote",
  "MsgPreVoteResp",
] as const satisfies readonly MessageType[];

const ENTRY_TYPES = [
  "EntryNormal",
  "EntryConfChange",
  "EntryConfChangeV2",
] as const satisfies readonly EntryType[];

export type WireMessage =
  | { readonly ok: true; readonly message: Message }
  /** What is wrong, naming the field and the value that was found. */
  | { readonly ok: false; readonly reason: "malformed" | "oversized"; readonly fault: string };

/** A message of `maxSizePerMsg` has fewer, for each counts more than a few bytes. */
const ENTRIES_MAX = 65_536;
/** The largest proposal with what names it, and a little. */
const ENTRY_BYTES_MAX = PROPOSAL_BYTES_MAX + 1024;
const CONTEXT_BYTES_MAX = 1024;
const MEMBERS_MAX = 64;

/** The message as it is sent. `responses` stay behind: they are between the core and its own storage. */
export function toWire(message: Message): RaftMessage {
  return {
    type: message.type,
    to: message.to,
    from: message.from,
    term: message.term,
    logTerm: message.logTerm,
    index: message.index,
    entries: message.entries.map(entryToWire),
    commit: message.commit,
    vote: message.vote,
    snapshot: message.snapshot === null ? null : snapshotToWire(message.snapshot),
    reject: message.reject,
    rejectHint: message.rejectHint,
    context: message.context,
  };
}

/** Reads a message of a peer. Every number must be a safe integer from 0 on, every type one that travels. */
export function fromWire(wire: RaftMessage__Output): WireMessage {
  try {
    return { ok: true, message: readMessage(wire) };
  } catch (error) {
    if (error instanceof WireFault) return { ok: false, reason: error.reason, fault: error.message };
    throw error;
  }
}

class WireFault extends Error {
  readonly reason: "malformed" | "oversized";

  constructor(message: string, reason: "malformed" | "oversized" = "malformed") {
    super(message);
    this.reason = reason;
  }
}

function readMessage(wire: RaftMessage__Output): Message {
  return coreMessage({
    type: oneOf(WIRE_TYPES, "type", wire.type),
    to: member("to", wire.to),
    from: member("from", wire.from),
    term: natural("term", wire.term),
    logTerm: natural("log_term", wire.logTerm),
    index: natural("index", wire.index),
    entries: readEntries(wire),
    commit: natural("commit", wire.commit),
    vote: natural("vote", wire.vote),
    snapshot: wire.snapshot === null ? null : readSnapshot(wire.snapshot),
    reject: wire.reject,
    rejectHint: natural("reject_hint", wire.rejectHint),
    context: bytes("context", wire.context, CONTEXT_BYTES_MAX),
  });
}

function readEntries(wire: RaftMessage__Output): readonly Entry[] {
  atMost("entries", wire.entries.length, ENTRIES_MAX);
  const entries = wire.entries.map(readEntry);
  if (wire.type !== "MsgApp") return entries;
  entries.forEach((entry, nth) => {
    const expected = wire.index + 1 + nth;
    if (entry.index !== expected)
      throw new WireFault(`entries[${nth}].index is ${entry.index}, not ${expected}`);
  });
  return entries;
}

function readEntry(wire: RaftEntry__Output, nth: number): Entry {
  return {
    term: natural(`entries[${nth}].term`, wire.term),
    index: natural(`entries[${nth}].index`, wire.index),
    type: oneOf(ENTRY_TYPES, `entries[${nth}].type`, wire.type),
    data: bytes(`entries[${nth}].data`, wire.data, ENTRY_BYTES_MAX),
  };
}

function entryToWire(entry: Entry): RaftEntry {
  return { term: entry.term, index: entry.index, type: entry.type, data: entry.data };
}

function readSnapshot(wire: RaftSnapshot__Output): Snapshot {
  const members = (name: string, list: readonly number[]): readonly number[] => {
    atMost(`snapshot.${name}`, list.length, MEMBERS_MAX);
    return list.map((number) => member(`snapshot.${name}`, number));
  };
  return {
    data: bytes("snapshot.data", wire.data, CONTEXT_BYTES_MAX),
    metadata: {
      index: natural("snapshot.index", wire.index),
      term: natural("snapshot.term", wire.term),
      confState: {
        voters: members("voters", wire.voters),
        votersOutgoing: members("voters_outgoing", wire.votersOutgoing),
        learners: members("learners", wire.learners),
        learnersNext: members("learners_next", wire.learnersNext),
        autoLeave: wire.autoLeave,
      },
    },
  };
}

function snapshotToWire({ data, metadata }: Snapshot): RaftSnapshot {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = metadata.confState;
  return {
    data,
    index: metadata.index,
    term: metadata.term,
    voters: [...voters],
    votersOutgoing: [...votersOutgoing],
    learners: [...learners],
    learnersNext: [...learnersNext],
    autoLeave,
  };
}

function natural(field: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new WireFault(`${field} is ${value}, not an integer from 0 to 2^53-1`);
}

function member(field: string, value: number): number {
  if (natural(field, value) > 0) return value;
  throw new WireFault(`${field} names no member`);
}

function oneOf<Name extends string>(allowed: readonly Name[], field: string, value: string): Name {
  const known = allowed.find((name) => name === value);
  if (known !== undefined) return known;
  throw new WireFault(`${field} is ${JSON.stringify(value.slice(0, 40))}, which is not known here`);
}

/** A copy of its own: the buffer that was read is a window into a whole batch, and would keep all of it alive. */
function bytes(field: string, buffer: Uint8Array, bytesMax: number): Uint8Array {
  atMost(field, buffer.length, bytesMax);
  return Uint8Array.from(buffer);
}

function atMost(field: string, length: number, max: number): void {
  if (length > max) throw new WireFault(`${field} is ${length} long, over ${max}`, "oversized");
}
