import { nodeName } from "./entry.ts";
import { handleVoteResponse } from "./election.ts";
import { RaftError } from "./errors.ts";
import { handleAppendEntries, handleHeartbeat, handleSnapshot } from "./follow.ts";
import type { Message } from "./message.ts";
import type { Raft } from "./raft.ts";

/** Candidates and pre-candidates differ only in the answers that they wait for. */
export function stepCandidate(raft: Raft, m: Message): void {
  const { name, logger } = raft;
  switch (m.type) {
    case "MsgProp":
      logger.info(`${name} no leader at term ${raft.term}; dropping proposal`);
      throw new RaftError("proposal-dropped");
    case "MsgApp":
      raft.becomeFollower(m.term, m.from);
      handleAppendEntries(raft, m);
      return;
    case "MsgHeartbeat":
      raft.becomeFollower(m.term, m.from);
      handleHeartbeat(raft, m);
      return;
    case "MsgSnap":
      raft.becomeFollower(m.term, m.from);
      handleSnapshot(raft, m);
      return;
    case "MsgVoteResp":
      if (raft.state === "StateCandidate") handleVoteResponse(raft, m);
      return;
    case "MsgPreVoteResp":
      if (raft.state === "StatePreCandidate") handleVoteResponse(raft, m);
      return;
    case "MsgTimeoutNow":
      logger.debug(
        `${name} [term ${raft.term} state ${raft.state}] ignored MsgTimeoutNow from ${nodeName(m.from)}`,
      );
      return;
    default:
      return;
  }
}
