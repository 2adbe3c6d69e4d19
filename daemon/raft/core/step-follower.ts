import { startElection } from "./election.ts";
import { NO_NODE, nodeName } from "./entry.ts";
import { RaftError } from "./errors.ts";
import { handleAppendEntries, handleHeartbeat, handleSnapshot } from "./follow.ts";
import type { Message } from "./message.ts";
import type { Raft } from "./raft.ts";
import { send } from "./send.ts";

export function stepFollower(raft: Raft, m: Message): void {
  const { name, logger } = raft;
  switch (m.type) {
    case "MsgProp":
      forwardProposal(raft, m);
      return;
    case "MsgApp":
      followLeader(raft, m);
      handleAppendEntries(raft, m);
      return;
    case "MsgHeartbeat":
      followLeader(raft, m);
      handleHeartbeat(raft, m);
      return;
    case "MsgSnap":
      followLeader(raft, m);
      handleSnapshot(raft, m);
      return;
    case "MsgTransferLeader":
      forward(raft, m, "leader transfer msg");
      return;
    case "MsgForgetLeader":
      forgetLeader(raft);
      return;
    case "MsgTimeoutNow":
      logger.info(
        `${name} [term ${raft.term}] received MsgTimeoutNow from ${nodeName(m.from)} and starts an election to get leadership.`,
      );
      // The leader has given way: no pre-vote, and voters grant the vote although they have a leader.
      startElection(raft, "transfer");
      return;
    case "MsgReadIndex":
      forward(raft, m, "index reading msg");
      return;
    case "MsgReadIndexResp":
      takeReadIndex(raft, m);
      return;
    default:
      // Answers to what this node sent in another role.
      return;
  }
}

function followLeader(raft: Raft, m: Message): void {
  raft.electionElapsed = 0;
  raft.lead = m.from;
}

function forwardProposal(raft: Raft, m: Message): void {
  const { name, lead, logger } = raft;
  if (lead === NO_NODE) {
    logger.info(`${name} no leader at term ${raft.term}; dropping proposal`);
    throw new RaftError("proposal-dropped");
  }
  if (raft.config.disableProposalForwarding) {
    logger.info(`${name} not forwarding to leader ${nodeName(lead)} at term ${raft.term}; dropping proposal`);
    throw new RaftError("proposal-dropped");
  }
  send(raft, { ...m, to: lead, term: 0 });
}

function forward(raft: Raft, m: Message, what: string): void {
  if (raft.lead === NO_NODE) {
    raft.logger.info(`${raft.name} no leader at term ${raft.term}; dropping ${what}`);
    return;
  }
  send(raft, { ...m, to: raft.lead, term: 0 });
}

/** Keeps the term and the running election timeout; only pre-votes and votes are granted as if there was no leader. */
function forgetLeader(raft: Raft): void {
  if (raft.config.callerReadsUnderLease) {
    raft.logger.error("ignoring MsgForgetLeader due to ReadOnlyLeaseBased");
  } else if (raft.lead !== NO_NODE) {
    raft.logger.info(`${raft.name} forgetting leader ${nodeName(raft.lead)} at term ${raft.term}`);
    raft.lead = NO_NODE;
  }
}

function takeReadIndex(raft: Raft, m: Message): void {
  const [entry] = m.entries;
  if (entry === undefined || m.entries.length !== 1) {
    raft.logger.error(
      `${raft.name} invalid format of MsgReadIndexResp from ${nodeName(m.from)}, entries count: ${m.entries.length}`,
    );
    return;
  }
  raft.readStates.push({ index: m.index, requestCtx: entry.data });
}
