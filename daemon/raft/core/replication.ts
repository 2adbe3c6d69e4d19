import { EMPTY_BYTES, NO_NODE, payloadsBytes } from "./entry.ts";
import type { Entry, Snapshot } from "./entry.ts";
import { RaftError } from "./errors.ts";
import { message } from "./message.ts";
import type { Raft } from "./raft.ts";
import { send } from "./send.ts";
import { describeTrackerConfig } from "./tracker/tracker.ts";

/** What becomes an entry when the leader gives it a term and an index. */
export type ProposedEntry = Pick<Entry, "type" | "data">;

/** Adds entries to the leader's log; false when the uncommitted tail would grow over its limit. */
export function appendEntries(raft: Raft, proposed: readonly ProposedEntry[]): boolean {
  const lastIndex = raft.log.lastIndex();
  const entries = proposed.map(({ type, data }, position) => {
    return { term: raft.term, index: lastIndex + 1 + position, type, data };
  });
  if (!reserveUncommitted(raft, entries)) {
    raft.logger.warn(
      `${raft.name} appending new entries to log would exceed uncommitted entry size limit; dropping proposal`,
    );
    return false;
  }
  const index = raft.log.append(entries);
  // The leader acknowledges its own entries as a follower does: when they are durable.
  send(raft, { type: "MsgAppResp", to: raft.id, index });
  return true;
}

/** Commits what a quorum has, if it is of the leader's own term (thesis, section 3.6.2). */
export function maybeCommit(raft: Raft): boolean {
  return raft.log.maybeCommit({ term: raft.term, index: raft.tracker.committed() });
}

/** Whether an entry of the leader's own term is committed: only then is its commit index known to be current. */
export function hasCommittedInTerm(raft: Raft): boolean {
  return raft.log.termOrZero(raft.log.committed) === raft.term;
}

/** Takes the word of the state machine that these entries are applied. */
export function entriesApplied(raft: Raft, entries: readonly Entry[], bytes: number): void {
  const last = entries.at(-1);
  if (last === undefined) return;
  appliedTo(raft, last.index, bytes);
  raft.uncommittedBytes = Math.max(0, raft.uncommittedBytes - payloadsBytes(entries));
}

/** Takes the word of the storage that this snapshot is durable and applied. */
export function snapshotApplied(raft: Raft, snapshot: Snapshot): void {
  const { index } = snapshot.metadata;
  raft.log.unstable.stableSnapshotTo(index);
  appliedTo(raft, index, 0);
}

function appliedTo(raft: Raft, index: number, bytes: number): void {
  const applied = Math.max(index, raft.log.applied);
  raft.log.appliedTo(applied, bytes);
  const { config } = raft.tracker;
  if (!config.autoLeave || raft.state !== "StateLeader" || applied < raft.pendingConfIndex) return;
  // The joint membership is in force on this leader. The entry that leaves it is empty, so no size limit refuses it.
  const entry: Entry = { term: 0, index: 0, type: "EntryConfChangeV2", data: EMPTY_BYTES };
  const described = describeTrackerConfig(config);
  try {
    raft.step(message({ type: "MsgProp", to: NO_NODE, from: raft.id, entries: [entry] }));
  } catch (error) {
    if (!(error instanceof RaftError)) throw error;
    // Tried again at the next application, or by the next leader.
    raft.logger.debug(
      `not initiating automatic transition out of joint configuration ${described}: ${error.message}`,
    );
    return;
  }
  raft.logger.info(`initiating automatic transition out of joint configuration ${described}`);
}

/** An empty tail takes any proposal, and an empty entry always fits: a leader must be able to open its term. */
function reserveUncommitted(raft: Raft, entries: readonly Entry[]): boolean {
  const bytes = payloadsBytes(entries);
  const total = raft.uncommittedBytes + bytes;
  if (raft.uncommittedBytes > 0 && bytes > 0 && total > raft.config.maxUncommittedEntriesSize) return false;
  raft.uncommittedBytes = total;
  return true;
}
