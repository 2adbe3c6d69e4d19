import type { AddJoinToken, AdmitNode, ApplyResult, InitialiseMesh } from "../model/command.ts";
import { session, type NodeId } from "../model/ids.ts";
import type { NodeRecord } from "../model/node.ts";
import { voterReplaceAfterMsDefault } from "./apply-voting.ts";
import { APPLIED, refused } from "./refusal.ts";
import type { State } from "./state.ts";

/** Join tokens kept at a time; expired ones make room. */
export const joinTokensMax = 1000;

/** Only once in the life of a mesh. The founder becomes node number 1. */
export function initialiseMesh(state: State, command: InitialiseMesh): ApplyResult {
  if (state.mesh !== null)
    return refused("already-exists", `this mesh is already initialised as ${state.mesh.id}`);
  const { meshId: id, authority, founder } = command;
  state.setMesh({
    id,
    authority,
    founder,
    recoveryEpoch: 0,
    recoveredAt: null,
    voterReplaceAfterMs: voterReplaceAfterMsDefault,
  });
  return admit(state, command.founder, null, command.at);
}

/** A token's id is taken once; the same token again changes nothing, not even how long it is good. */
export function addJoinToken(state: State, command: AddJoinToken): ApplyResult {
  const { id, secretHash, expiresAt } = command;
  const known = state.tokens.get(id);
  if (known !== undefined) {
    return known.secretHash === secretHash
      ? APPLIED
      : refused("already-exists", `join token ${id} already exists; make a token with another id`);
  }
  if (state.tokens.size >= joinTokensMax) {
    const expired = [...state.tokens.values()].filter((token) => command.at >= token.expiresAt);
    if (expired.length === 0) {
      return refused(
        "impossible",
        `${joinTokensMax} join tokens are valid, no more can be kept; use one of them`,
      );
    }
    for (const token of expired) state.removeToken(token.id);
  }
  state.putToken({ id, secretHash, expiresAt });
  return APPLIED;
}

/** The token is judged first, also when the request is known: who repeats it must still know the secret. */
export function admitNode(state: State, command: AdmitNode): ApplyResult {
  const fault = tokenFault(state, command);
  if (fault !== null) return refused("not-permitted", `node ${command.node} may not join: ${fault}`);

  const known = state.nodes.get(command.node);
  if (known === undefined) return admit(state, command.node, command.requestId, command.at);
  if (state.admissions.get(known.id) === command.requestId) return nodeResult(known);
  return refused(
    "already-exists",
    `the mesh already has a node named ${known.id} (number ${known.number}); join under another node name`,
  );
}

function tokenFault(state: State, command: AdmitNode): string | null {
  const token = state.tokens.get(command.tokenId);
  if (token === undefined) return `join token ${command.tokenId} is unknown; make one on a node of the mesh`;
  if (token.secretHash !== command.secretHash) return `the secret does not belong to join token ${token.id}`;
  if (command.at >= token.expiresAt) return `join token ${token.id} has expired; make a new one`;
  return null;
}

function admit(state: State, id: NodeId, requestId: string | null, at: number): ApplyResult {
  const node: NodeRecord = {
    id,
    number: state.nodes.size + 1,
    session: session(0),
    placeable: 0,
    vote: "automatic",
    leftBehindAt: null,
    state: { kind: "joining", since: at },
    facts: null,
  };
  state.putNode(node);
  state.putAdmission(id, requestId);
  return nodeResult(node);
}

function nodeResult(node: NodeRecord): ApplyResult {
  return { kind: "node", number: node.number, session: node.session };
}
