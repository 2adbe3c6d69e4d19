import type { ApplyResult, ConfigureMesh, RecoverMesh, SetVote } from "../model/command.ts";
import { once } from "./once.ts";
import { APPLIED, refused } from "./refusal.ts";
import type { State } from "./state.ts";

/** Long enough for a reboot or an upgrade of a voter, short enough that a second loss rarely comes before. */
export const voterReplaceAfterMsDefault = 5 * 60_000;

export function configureMesh(state: State, command: ConfigureMesh): ApplyResult {
  return once(state, command.requestId, () => {
    if (state.mesh === null) return refused("not-found", "this mesh is not initialised yet");
    state.setMesh({ ...state.mesh, voterReplaceAfterMs: command.voterReplaceAfterMs });
    return APPLIED;
  });
}

export function setVote(state: State, command: SetVote): ApplyResult {
  return once(state, command.requestId, () => {
    const node = state.nodes.get(command.node);
    if (node === undefined) return refused("not-found", `no node is named ${command.node}`);
    if (node.leftBehindAt !== null) {
      return refused(
        "impossible",
        `node ${node.id} was left behind when the mesh was recovered: it can not vote`,
      );
    }
    state.putNode({ ...node, vote: command.vote });
    return APPLIED;
  });
}

/**
 * Begins a new recovery epoch. The members left behind stay in the list of nodes and are never let in again: they may
 * hold what this mesh has given up, and have votes to give away to each other.
 */
export function recoverMesh(state: State, command: RecoverMesh): ApplyResult {
  const { mesh } = state;
  if (mesh === null) return refused("not-found", "this mesh is not initialised yet");
  state.setMesh({ ...mesh, recoveryEpoch: mesh.recoveryEpoch + 1, recoveredAt: command.at });
  for (const number of command.leftBehind) {
    const node = state.nodeByNumber(number);
    if (node !== null) state.putNode({ ...node, leftBehindAt: command.at, vote: "barred" });
  }
  const survivor = state.nodes.get(command.survivor);
  if (survivor !== undefined) state.putNode({ ...survivor, vote: "automatic" });
  return APPLIED;
}
