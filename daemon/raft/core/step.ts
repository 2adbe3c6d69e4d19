import {
  describeVoteRequest,
  handleVoteRequest,
  isTransferRequest,
  rejectVoteRequest,
  startElection,
} from "./election.ts";
import { NO_NODE, entriesBytes, nodeName } from "./entry.ts";
import type { Message } from "./message.ts";
import type { Raft } from "./raft.ts";
import { entriesApplied, snapshotApplied } from "./replication.ts";
import { send } from "./send.ts";
import { stepCandidate } from "./step-candidate.ts";
import { stepFollower } from "./step-follower.ts";
import { stepLeader } from "./step-leader.ts";

/**
 * Takes one message: first its term is compared with the own one, then what any role answers alike is answered, and the
 * rest goes to the role. @throws RaftError `proposal-dropped`
 */
export function step(raft: Raft, m: Message): void {
  if (m.term !== 0 && m.term < raft.term) {
    handleLowerTerm(raft, m);
    return;
  }
  if (m.term > raft.term && !enterHigherTerm(raft, m)) return;
  switch (m.type) {
    case "MsgHup":
      startElection(raft, raft.config.preVote ? "pre-election" : "election");
      return;
    case "MsgVote":
    case "MsgPreVote":
      handleVoteRequest(raft, m);
      return;
    case "MsgStorageAppendResp":
      if (m.index !== 0) raft.log.unstable.stableTo({ term: m.logTerm, index: m.index });
      if (m.snapshot !== null) snapshotApplied(raft, m.snapshot);
      return;
    case "MsgStorageApplyResp":
      entriesApplied(raft, m.entries, entriesBytes(m.entries));
      return;
    default:
      stepRole(raft, m);
  }
}

function stepRole(raft: Raft, m: Message): void {
  if (raft.state === "StateLeader") stepLeader(raft, m);
  else if (raft.state === "StateFollower") stepFollower(raft, m);
  else stepCandidate(raft, m);
}

/** Follows a higher term, unless the message is no reason to. Returns whether the message is to be handled at all. */
function enterHigherTerm(raft: Raft, m: Message): boolean {
  if ((m.type === "MsgVote" || m.type === "MsgPreVote") && !isTransferRequest(m) && hasLiveLeader(raft)) {
    const remaining = raft.config.electionTick - raft.electionElapsed;
    raft.logger.info(
      `${describeVoteRequest(raft, m, `ignored ${m.type} from`)}: lease is not expired (remaining ticks: ${remaining})`,
    );
    return false;
  }
  // A pre-vote asks about a term that nobody has entered; granted, the candidate enters it with its vote.
  if (m.type === "MsgPreVote" || (m.type === "MsgPreVoteResp" && !m.reject)) return true;
  raft.logger.info(
    `${raft.name} [term: ${raft.term}] received a ${m.type} message with higher term from ${nodeName(m.from)} [term: ${m.term}]`,
  );
  const isFromLeader = m.type === "MsgApp" || m.type === "MsgHeartbeat" || m.type === "MsgSnap";
  raft.becomeFollower(m.term, isFromLeader ? m.from : NO_NODE);
  return true;
}

/** Whether a leader was heard of lately enough that an election would only disturb it (thesis, section 4.2.3). */
function hasLiveLeader(raft: Raft): boolean {
  return raft.config.checkQuorum && raft.lead !== NO_NODE && raft.electionElapsed < raft.config.electionTick;
}

function handleLowerTerm(raft: Raft, m: Message): void {
  const { checkQuorum, preVote } = raft.config;
  if ((checkQuorum || preVote) && (m.type === "MsgHeartbeat" || m.type === "MsgApp")) {
    // A node that campaigned alone has a higher term than the leader, whose messages it ignores, and the voters ignore
    // its campaign. This answer makes the leader step down, so that one of higher term can be elected.
    send(raft, { type: "MsgAppResp", to: m.from });
  } else if (m.type === "MsgPreVote") {
    // Answered, or a pre-candidate with a lower term and a longer log could wait for ever.
    rejectVoteRequest(raft, m);
  } else if (m.type === "MsgStorageAppendResp") {
    // The entries may have been replaced in a newer term. A snapshot was committed, and is valid at any term.
    if (m.index !== 0) {
      raft.logger.info(
        `${raft.name} [term: ${raft.term}] ignored entry appends from a ${m.type} message with lower term [term: ${m.term}]`,
      );
    }
    if (m.snapshot !== null) snapshotApplied(raft, m.snapshot);
  } else {
    raft.logger.info(
      `${raft.name} [term: ${raft.term}] ignored a ${m.type} message with lower term from ${nodeName(m.from)} [term: ${m.term}]`,
    );
  }
}
