import { EMPTY_BYTES, NO_NODE } from "./entry.ts";
import type { Message } from "./message.ts";
import type { Raft } from "./raft.ts";
import { hasCommittedInTerm } from "./replication.ts";
import { broadcastHeartbeat, send } from "./send.ts";

/** A leader's answer to a MsgReadIndex of its own or of a follower. */
export function handleReadRequest(raft: Raft, request: Message): void {
  if (raft.reads.isFull) {
    raft.logger.debug(`${raft.name} has too many read requests pending; dropping index reading msg`);
  } else if (hasCommittedInTerm(raft)) {
    openRound(raft, request);
  } else {
    raft.reads.hold(request);
  }
}

/** Starts the requests that came before the leader had committed an entry of its term. */
export function releaseHeldReads(raft: Raft): void {
  if (!hasCommittedInTerm(raft)) return;
  for (const request of raft.reads.takeHeld()) openRound(raft, request);
}

/** Answers the requests that a quorum has confirmed, to this node's caller or to the follower that asked. */
export function answerConfirmedReads(raft: Raft): void {
  for (const { request, index } of raft.reads.takeConfirmed(raft.tracker.config.voters)) {
    if (request.from === NO_NODE || request.from === raft.id) {
      raft.readStates.push({ index, requestCtx: request.entries[0]?.data ?? EMPTY_BYTES });
    } else {
      send(raft, { type: "MsgReadIndexResp", to: request.from, index, entries: request.entries });
    }
  }
}

function openRound(raft: Raft, request: Message): void {
  raft.reads.add(request, raft.log.committed, raft.id);
  broadcastHeartbeat(raft);
  answerConfirmedReads(raft);
}
