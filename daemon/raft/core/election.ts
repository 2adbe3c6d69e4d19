import { NO_NODE, nodeName } from "./entry.ts";
import type { EntryId, NodeNumber } from "./entry.ts";
import type { Message, MessageType } from "./message.ts";
import type { Raft } from "./raft.ts";
import { broadcastAppend, send } from "./send.ts";

/** Why a node campaigns: to ask first whether it could win, because it may, or because its leader told it to. */
export type CampaignKind = "pre-election" | "election" | "transfer";

/** Marks a vote request that a leader asked for: voters grant it although they have a leader. */
const TRANSFER_CONTEXT: Uint8Array = new TextEncoder().encode("CampaignTransfer");

export function isTransferRequest({ context }: Message): boolean {
  return (
    context.length === TRANSFER_CONTEXT.length && context.every((byte, at) => byte === TRANSFER_CONTEXT[at])
  );
}

/** Starts an election, if this node may become leader. */
export function startElection(raft: Raft, kind: CampaignKind): void {
  const { name, logger } = raft;
  if (raft.state === "StateLeader") {
    logger.debug(`${name} ignoring MsgHup because already leader`);
  } else if (!raft.promotable) {
    logger.warn(`${name} is unpromotable and can not campaign`);
  } else if (hasUnappliedConfChange(raft)) {
    logger.warn(
      `${name} cannot campaign at term ${raft.term} since there are still pending configuration changes to apply`,
    );
  } else {
    logger.info(`${name} is starting a new election at term ${raft.term}`);
    campaign(raft, kind);
  }
}

/** Grants or refuses a vote or a pre-vote (thesis, sections 3.6.1 and 9.6). */
export function handleVoteRequest(raft: Raft, m: Message): void {
  const canVote =
    raft.vote === m.from ||
    // No vote yet, and no leader that could still be alive.
    (raft.vote === NO_NODE && raft.lead === NO_NODE) ||
    (m.type === "MsgPreVote" && m.term > raft.term);
  const type = responseType(m.type);
  // A learner votes as well: it may have become a voter without knowing it yet.
  if (canVote && raft.log.isUpToDate({ term: m.logTerm, index: m.index })) {
    raft.logger.info(describeVoteRequest(raft, m, `cast ${m.type} for`));
    // The term of the request: a pre-vote is about a term that this node has not entered.
    send(raft, { type, to: m.from, term: m.term });
    if (m.type !== "MsgVote") return;
    raft.electionElapsed = 0;
    raft.vote = m.from;
    return;
  }
  rejectVoteRequest(raft, m);
}

export function rejectVoteRequest(raft: Raft, m: Message): void {
  raft.logger.info(describeVoteRequest(raft, m, `rejected ${m.type} from`));
  send(raft, { type: responseType(m.type), to: m.from, term: raft.term, reject: true });
}

/** For example "1 [logterm: 1, index: 11, vote: 1] ignored MsgVote from 2 [logterm: 1, index: 11] at term 1". */
export function describeVoteRequest(raft: Raft, m: Message, action: string): string {
  return (
    `${raft.name} ${describePosition(raft.log.lastEntryId(), raft.vote)} ${action} ${nodeName(m.from)} ` +
    `[logterm: ${m.logTerm}, index: ${m.index}] at term ${raft.term}`
  );
}

/** Counts an answer to this node's campaign, and acts when it decides. */
export function handleVoteResponse(raft: Raft, m: Message): void {
  const { id, name, logger, tracker } = raft;
  logger.info(
    `${name} received ${m.type}${m.reject ? " rejection" : ""} from ${nodeName(m.from)} at term ${raft.term}`,
  );
  tracker.recordVote(m.from, !m.reject);
  const { granted, rejected, result } = tracker.tallyVotes();
  logger.info(`${name} has received ${granted} ${m.type} votes and ${rejected} vote rejections`);
  if (result === "VoteLost") {
    // A lost pre-vote may answer with a higher term, but proves nothing about it: keep the own term.
    raft.becomeFollower(raft.term, NO_NODE);
  } else if (result === "VoteWon" && raft.state === "StatePreCandidate") {
    campaign(raft, "election");
  } else if (result === "VoteWon" && (tracker.hasVoteOf(id) || raft.config.leadsBeforeOwnVoteIsDurable)) {
    // The own vote counts when the term is durable. Without it, a leader elected by the others alone could crash, forget
    // the term, be elected for it once more, and give its indexes to other entries.
    raft.becomeLeader();
    broadcastAppend(raft);
  }
}

function campaign(raft: Raft, kind: CampaignKind): void {
  if (!raft.promotable) {
    // A snapshot may have come between the pre-vote and the vote.
    raft.logger.warn(`${raft.name} is unpromotable; campaign() should have been called`);
  }
  if (kind === "pre-election") raft.becomePreCandidate();
  else raft.becomeCandidate();
  const type: MessageType = kind === "pre-election" ? "MsgPreVote" : "MsgVote";
  const term = kind === "pre-election" ? raft.term + 1 : raft.term;
  for (const to of raft.tracker.voterIds()) {
    if (to === raft.id) {
      // The own vote goes through the storage like any other: it counts when it is durable.
      send(raft, { type: responseType(type), to, term });
    } else {
      requestVote(raft, to, type, term, kind);
    }
  }
}

function requestVote(raft: Raft, to: NodeNumber, type: MessageType, term: number, kind: CampaignKind): void {
  const last = raft.log.lastEntryId();
  raft.logger.info(
    `${raft.name} [logterm: ${last.term}, index: ${last.index}] sent ${type} request to ${nodeName(to)} at term ${raft.term}`,
  );
  const context = kind === "transfer" ? { context: TRANSFER_CONTEXT } : {};
  send(raft, { type, to, term, logTerm: last.term, index: last.index, ...context });
}

/** A committed change that is not applied yet could make this node no voter. */
function hasUnappliedConfChange({ log }: Raft): boolean {
  return log.some(log.applied + 1, log.committed + 1, ({ type }) => type !== "EntryNormal");
}

function responseType(request: MessageType): "MsgVoteResp" | "MsgPreVoteResp" {
  return request === "MsgPreVote" ? "MsgPreVoteResp" : "MsgVoteResp";
}

function describePosition({ term, index }: EntryId, vote: NodeNumber): string {
  return `[logterm: ${term}, index: ${index}, vote: ${nodeName(vote)}]`;
}
