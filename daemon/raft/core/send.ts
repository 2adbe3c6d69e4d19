import type { NodeNumber } from "./entry.ts";
import { NO_NODE, isEmptySnapshot, payloadsBytes, nodeName } from "./entry.ts";
import { invariant } from "./errors.ts";
import { message } from "./message.ts";
import type { Message } from "./message.ts";
import type { Raft } from "./raft.ts";
import type { Progress } from "./tracker/progress.ts";

/**
 * Queues a message, from this node unless it says otherwise. Votes carry the term that they are about; all others get
 * the current term, but for forwarded proposals and reads, which hold at any term.
 */
export function send(raft: Raft, fields: Pick<Message, "type" | "to"> & Partial<Message>): void {
  const { type, term = 0, from = NO_NODE } = fields;
  const isVote = ["MsgVote", "MsgVoteResp", "MsgPreVote", "MsgPreVoteResp"].includes(type);
  if (isVote) invariant(term !== 0, () => `term should be set when sending ${type}`);
  else invariant(term === 0, () => `term should not be set when sending ${type} (was ${term})`);
  const termless = type === "MsgProp" || type === "MsgReadIndex";
  const sent = message({
    ...fields,
    from: from === NO_NODE ? raft.id : from,
    term: isVote || termless ? term : raft.term,
  });
  if (type === "MsgAppResp" || type === "MsgVoteResp" || type === "MsgPreVoteResp") {
    // They promise what is not yet durable. The node's own vote and acknowledgement are among them, so that it never
    // counts itself before its disk does. A pre-vote promises nothing, but must not overtake a vote.
    raft.messagesAfterAppend.push(sent);
    return;
  }
  invariant(sent.to !== raft.id, () => `message should not be self-addressed when sending ${type}`);
  raft.messages.push(sent);
}

/** Sends a MsgApp, be it empty, so that the follower learns the commit index or answers a probe. */
export function sendAppend(raft: Raft, to: NodeNumber): void {
  maybeSendAppend(raft, to, { evenIfEmpty: true });
}

/** Sends MsgApps as long as there are entries and the window allows it. */
export function sendAppendsWhilePossible(raft: Raft, to: NodeNumber): void {
  while (maybeSendAppend(raft, to, { evenIfEmpty: false }));
}

/**
 * Sends the next entries to a follower, or a snapshot when they are compacted. A full window still lets an empty message
 * through when asked for: its rejection reveals that all messages in flight were lost.
 * Returns whether anything was sent.
 */
export function maybeSendAppend(
  raft: Raft,
  to: NodeNumber,
  { evenIfEmpty }: { evenIfEmpty: boolean },
): boolean {
  const progress = progressOf(raft, to);
  if (progress.isPaused) return false;
  const { log, config } = raft;
  const previous = progress.next - 1;
  const previousTerm = log.term(previous);
  if (typeof previousTerm !== "number") return maybeSendSnapshot(raft, to, progress);
  const throttled = progress.state === "StateReplicate" && progress.inflights.full;
  const entries = throttled ? [] : log.entries(progress.next, config.maxSizePerMsg);
  if (entries === "compacted") return maybeSendSnapshot(raft, to, progress);
  if (entries.length === 0 && !evenIfEmpty) return false;
  const commit = log.committed;
  send(raft, { type: "MsgApp", to, index: previous, logTerm: previousTerm, entries, commit });
  progress.sentEntries(entries.length, payloadsBytes(entries));
  progress.sentCommit(commit);
  return true;
}

export function broadcastAppend(raft: Raft): void {
  for (const id of raft.tracker.progress.keys()) if (id !== raft.id) sendAppend(raft, id);
}

/**
 * Sends heartbeats that ask about the pending reads. The commit index is cut to what the follower is known to have: a
 * heartbeat makes no statement about its log.
 */
export function broadcastHeartbeat(raft: Raft): void {
  const context = raft.reads.heartbeatContext();
  for (const [to, progress] of raft.tracker.progress) {
    if (to === raft.id) continue;
    const commit = Math.min(progress.match, raft.log.committed);
    send(raft, { type: "MsgHeartbeat", to, commit, context });
    progress.sentCommit(commit);
  }
}

export function sendTimeoutNow(raft: Raft, to: NodeNumber): void {
  send(raft, { type: "MsgTimeoutNow", to });
}

function maybeSendSnapshot(raft: Raft, to: NodeNumber, progress: Progress): boolean {
  const { logger, log, name } = raft;
  if (!progress.recentActive) {
    logger.debug(`ignore sending snapshot to ${nodeName(to)} since it is not recently active`);
    return false;
  }
  const snapshot = log.snapshot();
  if (snapshot === "temporarily-unavailable") {
    logger.debug(
      `${name} failed to send snapshot to ${nodeName(to)} because snapshot is temporarily unavailable`,
    );
    return false;
  }
  invariant(!isEmptySnapshot(snapshot), () => "need non-empty snapshot");
  const { index, term } = snapshot.metadata;
  logger.debug(
    `${name} [firstindex: ${log.firstIndex()}, commit: ${log.committed}] ` +
      `sent snapshot[index: ${index}, term: ${term}] to ${nodeName(to)} [${progress.describe()}]`,
  );
  progress.becomeSnapshot(index);
  logger.debug(`${name} paused sending replication messages to ${nodeName(to)} [${progress.describe()}]`);
  send(raft, { type: "MsgSnap", to, snapshot });
  return true;
}

function progressOf(raft: Raft, id: NodeNumber): Progress {
  const progress = raft.tracker.progress.get(id);
  invariant(progress !== undefined, () => `no progress for ${id}`);
  return progress;
}
