import { asV2, decodeConfChange } from "./conf-change/conf-change.ts";
import type { ConfChange } from "./conf-change/conf-change.ts";
import { describeConfChange } from "./describe.ts";
import { EMPTY_BYTES, NO_NODE, nodeName } from "./entry.ts";
import type { Entry } from "./entry.ts";
import { RaftError, invariant } from "./errors.ts";
import type { Message } from "./message.ts";
import { isJoint } from "./quorum/joint.ts";
import type { Raft } from "./raft.ts";
import { answerConfirmedReads, handleReadRequest, releaseHeldReads } from "./reads.ts";
import { appendEntries, maybeCommit } from "./replication.ts";
import type { ProposedEntry } from "./replication.ts";
import {
  broadcastAppend,
  broadcastHeartbeat,
  sendAppend,
  sendAppendsWhilePossible,
  sendTimeoutNow,
} from "./send.ts";
import type { Progress } from "./tracker/progress.ts";
import { describeTrackerConfig } from "./tracker/tracker.ts";

export function stepLeader(raft: Raft, m: Message): void {
  switch (m.type) {
    case "MsgBeat":
      broadcastHeartbeat(raft);
      return;
    case "MsgCheckQuorum":
      checkQuorum(raft);
      return;
    case "MsgProp":
      propose(raft, m.entries);
      return;
    case "MsgReadIndex":
      handleReadRequest(raft, m);
      return;
    case "MsgForgetLeader":
      // A leader knows best who leads.
      return;
    default:
      stepFollowerReport(raft, m);
  }
}

/** Messages from or about one follower. */
function stepFollowerReport(raft: Raft, m: Message): void {
  const progress = raft.tracker.progress.get(m.from);
  if (progress === undefined) {
    raft.logger.debug(`${raft.name} no progress available for ${nodeName(m.from)}`);
    return;
  }
  switch (m.type) {
    case "MsgAppResp":
      progress.recentActive = true;
      if (m.reject) handleAppendRejected(raft, m, progress);
      else handleAppended(raft, m, progress);
      return;
    case "MsgHeartbeatResp":
      handleHeartbeatResponse(raft, m, progress);
      return;
    case "MsgSnapStatus":
      handleSnapshotStatus(raft, m, progress);
      return;
    case "MsgUnreachable":
      // Messages in flight were probably lost: find out where the follower stands.
      if (progress.state === "StateReplicate") progress.becomeProbe();
      raft.logger.debug(
        `${raft.name} failed to send message to ${nodeName(m.from)} because it is unreachable [${progress.describe()}]`,
      );
      return;
    case "MsgTransferLeader":
      transferLeadership(raft, m, progress);
      return;
    default:
      return;
  }
}

function checkQuorum(raft: Raft): void {
  if (!raft.tracker.quorumActive()) {
    raft.logger.warn(`${raft.name} stepped down to follower since quorum is not active`);
    raft.becomeFollower(raft.term, NO_NODE);
  }
  for (const [id, progress] of raft.tracker.progress) if (id !== raft.id) progress.recentActive = false;
}

function propose(raft: Raft, entries: readonly Entry[]): void {
  const { id, name, logger, leadTransferee } = raft;
  invariant(entries.length > 0, () => `${name} stepped empty MsgProp`);
  // A leader that was removed gets no more entries into the log.
  if (!raft.tracker.progress.has(id)) throw new RaftError("proposal-dropped");
  if (leadTransferee !== NO_NODE) {
    logger.debug(
      `${name} [term ${raft.term}] transfer leadership to ${nodeName(leadTransferee)} is in progress; dropping proposal`,
    );
    throw new RaftError("proposal-dropped");
  }
  const { pendingConfIndex } = raft;
  const admitted = entries.map((entry, position) => admitConfChange(raft, entry, position));
  if (!appendEntries(raft, admitted)) {
    // A change that is in no log is not pending: the next one would be taken for a second one.
    raft.pendingConfIndex = pendingConfIndex;
    throw new RaftError("proposal-dropped");
  }
  broadcastAppend(raft);
}

/**
 * Replaces a configuration change that does not fit by an empty entry. Only one may be unapplied at a time, for each one
 * is judged by the membership that is applied.
 */
function admitConfChange(raft: Raft, entry: Entry, position: number): ProposedEntry {
  const change = decodeConfChange(entry);
  if (change === null) return entry;
  const misfit = misfitOf(raft, change);
  if (misfit !== null && !raft.config.disableConfChangeValidation) {
    raft.logger.info(
      `${raft.name} ignoring conf change ${describeConfChange(change)} ` +
        `at config ${describeTrackerConfig(raft.tracker.config)}: ${misfit}`,
    );
    return { type: "EntryNormal", data: EMPTY_BYTES };
  }
  raft.pendingConfIndex = raft.log.lastIndex() + position + 1;
  return entry;
}

function misfitOf(raft: Raft, change: ConfChange): string | null {
  const { applied } = raft.log;
  const joint = isJoint(raft.tracker.config.voters);
  const leaves = asV2(change).changes.length === 0;
  if (raft.pendingConfIndex > applied) {
    return `possible unapplied conf change at index ${raft.pendingConfIndex} (applied to ${applied})`;
  }
  if (joint && !leaves) return "must transition out of joint config first";
  if (!joint && leaves) return "not in joint state; refusing empty conf change";
  return null;
}

function handleAppendRejected(raft: Raft, m: Message, progress: Progress): void {
  const { name, logger, log } = raft;
  logger.debug(
    `${name} received MsgAppResp(rejected, hint: (index ${m.rejectHint}, term ${m.logTerm})) ` +
      `from ${nodeName(m.from)} for index ${m.index}`,
  );
  // Entries of a higher term than the follower's at the hint cannot match there: skip all of them.
  const nextProbe = m.logTerm > 0 ? log.findConflictByTerm(m.rejectHint, m.logTerm).index : m.rejectHint;
  if (!progress.maybeDecreaseTo(m.index, nextProbe)) return;
  logger.debug(`${name} decreased progress of ${nodeName(m.from)} to [${progress.describe()}]`);
  if (progress.state === "StateReplicate") progress.becomeProbe();
  sendAppend(raft, m.from);
}

function handleAppended(raft: Raft, m: Message, progress: Progress): void {
  const { id, name, logger, log } = raft;
  // An old acknowledgement still ends a probe when it is of the very entry that is known to match.
  const endsProbe = progress.state === "StateProbe" && progress.match === m.index;
  if (!progress.maybeUpdate(m.index) && !endsProbe) return;
  if (progress.state === "StateProbe") {
    progress.becomeReplicate();
  } else if (progress.state === "StateReplicate") {
    progress.inflights.freeLE(m.index);
  } else if (progress.match + 1 >= log.firstIndex()) {
    // Whatever brought the follower here, be it another snapshot than ours, the log can take it on.
    logger.debug(
      `${name} recovered from needing snapshot, resumed sending replication messages to ${nodeName(m.from)} ` +
        `[${progress.describe()}]`,
    );
    progress.becomeProbe();
    progress.becomeReplicate();
  }
  if (maybeCommit(raft)) {
    releaseHeldReads(raft);
    broadcastAppend(raft);
  } else if (m.from !== id && progress.canBumpCommit(log.committed)) {
    // The follower has entries that were committed while it was paused or behind.
    sendAppend(raft, m.from);
  }
  // The window has room again.
  if (m.from !== id) sendAppendsWhilePossible(raft, m.from);
  if (m.from === raft.leadTransferee && progress.match === log.lastIndex()) {
    logger.info(`${name} sent MsgTimeoutNow to ${nodeName(m.from)} after received MsgAppResp`);
    sendTimeoutNow(raft, m.from);
  }
}

function handleHeartbeatResponse(raft: Raft, m: Message, progress: Progress): void {
  progress.recentActive = true;
  // The follower is there, though its acknowledgements may be lost: one more message may go.
  progress.msgAppFlowPaused = false;
  if (progress.match < raft.log.lastIndex() || progress.state === "StateProbe") sendAppend(raft, m.from);
  raft.reads.acknowledge(m.from, m.context);
  answerConfirmedReads(raft);
}

function handleSnapshotStatus(raft: Raft, m: Message, progress: Progress): void {
  if (progress.state !== "StateSnapshot") return;
  // A failed snapshot is forgotten before the probe, which else would start behind it.
  if (m.reject) progress.pendingSnapshot = 0;
  progress.becomeProbe();
  raft.logger.debug(
    `${raft.name} snapshot ${m.reject ? "failed" : "succeeded"}, ` +
      `resumed sending replication messages to ${nodeName(m.from)} [${progress.describe()}]`,
  );
  // Sent, but the follower's answer is still to come; or failed, and not to be tried again before the next heartbeat.
  progress.msgAppFlowPaused = true;
}

function transferLeadership(raft: Raft, m: Message, progress: Progress): void {
  const { id, name, logger, leadTransferee: current } = raft;
  const to = m.from;
  if (progress.isLearner) {
    logger.debug(`${name} is learner. Ignored transferring leadership`);
    return;
  }
  if (current === to) {
    logger.info(
      `${name} [term ${raft.term}] transfer leadership to ${nodeName(to)} is in progress, ignores request to same node ${nodeName(to)}`,
    );
    return;
  }
  if (current !== NO_NODE) {
    raft.leadTransferee = NO_NODE;
    logger.info(`${name} [term ${raft.term}] abort previous transferring leadership to ${nodeName(current)}`);
  }
  if (to === id) {
    logger.debug(`${name} is already leader. Ignored transferring leadership to self`);
    return;
  }
  logger.info(`${name} [term ${raft.term}] starts to transfer leadership to ${nodeName(to)}`);
  // It must be done within an election timeout.
  raft.electionElapsed = 0;
  raft.leadTransferee = to;
  if (progress.match === raft.log.lastIndex()) {
    sendTimeoutNow(raft, to);
    logger.info(
      `${name} sends MsgTimeoutNow to ${nodeName(to)} immediately as ${nodeName(to)} already has up-to-date log`,
    );
  } else {
    sendAppend(raft, to);
  }
}
