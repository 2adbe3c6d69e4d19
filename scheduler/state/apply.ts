import type { ApplyResult, Command } from "../model/command.ts";
import { cancelJob, submitJob } from "./apply-jobs.ts";
import { addJoinToken, admitNode, initialiseMesh } from "./apply-mesh.ts";
import { expireNode, registerNode } from "./apply-nodes.ts";
import { configureMesh, recoverMesh, setVote } from "./apply-voting.ts";
import { placeGang, startGang } from "./apply-placement.ts";
import { reportPart } from "./apply-reports.ts";
import type { State } from "./state.ts";

/**
 * Applies the command committed at raft index `index`. Deterministic: equal states and equal commands give equal
 * states and results on every replica. A refusal changes nothing but `state.version`, which is `index` after every
 * call; an index that does not rise throws.
 */
export function apply(state: State, command: Command, index: number): ApplyResult {
  state.advance(index);
  switch (command.kind) {
    case "initialiseMesh":
      return initialiseMesh(state, command);
    case "addJoinToken":
      return addJoinToken(state, command);
    case "admitNode":
      return admitNode(state, command);
    case "configureMesh":
      return configureMesh(state, command);
    case "recoverMesh":
      return recoverMesh(state, command);
    case "setVote":
      return setVote(state, command);
    case "registerNode":
      return registerNode(state, command, index);
    case "expireNode":
      return expireNode(state, command);
    case "submitJob":
      return submitJob(state, command);
    case "cancelJob":
      return cancelJob(state, command);
    case "placeGang":
      return placeGang(state, command, index);
    case "startGang":
      return startGang(state, command);
    case "reportPart":
      return reportPart(state, command);
  }
}
