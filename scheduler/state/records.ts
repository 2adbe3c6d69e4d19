import type { NodeId } from "../model/ids.ts";
import type { JobRecord } from "../model/job.ts";
import type { NodeRecord } from "../model/node.ts";
import { State, type JoinToken, type Mesh, type StateView } from "./state.ts";

/** One stored piece of the state. Plain JSON data; all records of a state and its version are the whole of it. */
export type StateRecord =
  | { readonly kind: "mesh"; readonly mesh: Mesh }
  | { readonly kind: "token"; readonly token: JoinToken }
  | { readonly kind: "admission"; readonly node: NodeId; readonly requestId: string | null }
  | { readonly kind: "node"; readonly node: NodeRecord }
  | { readonly kind: "job"; readonly job: JobRecord };

/** Everything in the state, in one order on every replica: by kind, then by name or number. */
export function* recordsOf(view: StateView): Generator<StateRecord> {
  if (view.mesh !== null) yield { kind: "mesh", mesh: view.mesh };
  for (const [, token] of sorted(view.tokens)) yield { kind: "token", token };
  for (const [node, requestId] of sorted(view.admissions)) yield { kind: "admission", node, requestId };
  for (const [, node] of sorted(view.nodes)) yield { kind: "node", node };
  for (const [, job] of sorted(view.jobs)) yield { kind: "job", job };
}

/** The state that `recordsOf` gave at raft index `version`, its indexes built anew. */
export function restoreState(records: Iterable<StateRecord>, version: number): State {
  const state = new State();
  if (version > 0) state.advance(version);
  for (const record of records) {
    switch (record.kind) {
      case "mesh":
        state.setMesh(record.mesh);
        break;
      case "token":
        state.putToken(record.token);
        break;
      case "admission":
        state.putAdmission(record.node, record.requestId);
        break;
      case "node":
        state.putNode(record.node);
        break;
      case "job":
        state.putJob(record.job);
        break;
    }
  }
  return state;
}

function sorted<K extends string | number, V>(map: ReadonlyMap<K, V>): [K, V][] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
