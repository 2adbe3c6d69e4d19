import { describeConfStateFields } from "./describe.ts";
import { restoreConfState } from "./membership.ts";
import { EMPTY_SNAPSHOT, NO_NODE, nodeName } from "./entry.ts";
import type { Snapshot } from "./entry.ts";
import type { Message } from "./message.ts";
import type { Raft } from "./raft.ts";
import { send } from "./send.ts";

/** What a follower does with the messages of its leader. */
export function handleAppendEntries(raft: Raft, m: Message): void {
  const { log } = raft;
  if (m.index < log.committed) {
    // Old news: what is committed is the same everywhere.
    send(raft, { type: "MsgAppResp", to: m.from, index: log.committed });
    return;
  }
  const lastMatching = log.maybeAppend({ term: m.logTerm, index: m.index }, m.entries, m.commit);
  if (lastMatching !== null) {
    send(raft, { type: "MsgAppResp", to: m.from, index: lastMatching });
    return;
  }
  raft.logger.debug(
    `${raft.name} [logterm: ${log.termOrZero(m.index)}, index: ${m.index}] ` +
      `rejected MsgApp [logterm: ${m.logTerm}, index: ${m.index}] from ${nodeName(m.from)}`,
  );
  // The hint lets the leader skip the whole tail of terms that it cannot share, instead of probing entry by entry.
  const hint = log.findConflictByTerm(Math.min(m.index, log.lastIndex()), m.logTerm);
  const { index } = m;
  send(raft, {
    type: "MsgAppResp",
    to: m.from,
    index,
    reject: true,
    rejectHint: hint.index,
    logTerm: hint.term,
  });
}

export function handleHeartbeat(raft: Raft, m: Message): void {
  raft.log.commitTo(m.commit);
  send(raft, { type: "MsgHeartbeatResp", to: m.from, context: m.context });
}

export function handleSnapshot(raft: Raft, m: Message): void {
  const { log } = raft;
  const snapshot = m.snapshot ?? EMPTY_SNAPSHOT;
  const { index, term } = snapshot.metadata;
  const restored = restoreSnapshot(raft, snapshot);
  raft.logger.info(
    `${raft.name} [commit: ${log.committed}] ${restored ? "restored" : "ignored"} ` +
      `snapshot [index: ${index}, term: ${term}]`,
  );
  send(raft, { type: "MsgAppResp", to: m.from, index: restored ? log.lastIndex() : log.committed });
}

/** Replaces log and membership by the snapshot; false when it brings nothing new, or must not be taken. */
function restoreSnapshot(raft: Raft, snapshot: Snapshot): boolean {
  const { id, name, log, logger } = raft;
  const { index, term, confState } = snapshot.metadata;
  if (index <= log.committed) return false;
  if (raft.state !== "StateFollower") {
    // Messages of a leader make a follower first; a leader that got here must not go on in this term.
    logger.warn(`${name} attempted to restore snapshot as leader; should never happen`);
    raft.becomeFollower(raft.term + 1, NO_NODE);
    return false;
  }
  const { voters, learners, votersOutgoing } = confState;
  if (![...voters, ...learners, ...votersOutgoing].includes(id)) {
    logger.warn(
      `${name} attempted to restore snapshot but it is not in the ConfState ` +
        `${describeConfStateFields(confState)}; should never happen`,
    );
    return false;
  }
  const describeLog = (): string => {
    const last = log.lastEntryId();
    return `${name} [commit: ${log.committed}, lastindex: ${last.index}, lastterm: ${last.term}]`;
  };
  if (log.matchTerm({ term, index })) {
    // The log has all of it: only the commit index was behind.
    logger.info(`${describeLog()} fast-forwarded commit to snapshot [index: ${index}, term: ${term}]`);
    log.commitTo(index);
    return false;
  }
  log.restore(snapshot);
  restoreConfState(raft, confState);
  logger.info(`${describeLog()} restored snapshot [index: ${index}, term: ${term}]`);
  return true;
}
