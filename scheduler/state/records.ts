import { jobId, type NodeId } from "../model/ids.ts";
import type { JobRecord } from "../model/job.ts";
import type { NodeRecord } from "../model/node.ts";
import { createState, placeOf } from "./state.ts";
import type { Answer, JoinToken, Mesh, RecordKey, State, StateView } from "./state.ts";

/** One stored piece of the state. Plain JSON data; all records of a state and its version are the whole of it. */
export type StateRecord =
  | { readonly kind: "mesh"; readonly mesh: Mesh }
  | { readonly kind: "token"; readonly token: JoinToken }
  | { readonly kind: "admission"; readonly node: NodeId; readonly requestId: string | null }
  | { readonly kind: "node"; readonly node: NodeRecord }
  | { readonly kind: "job"; readonly job: JobRecord }
  | { readonly kind: "answer"; readonly answer: Answer };

/** Everything in the state, in one order on every replica: by kind, then by name or number. */
export function* recordsOf(view: StateView): Generator<StateRecord> {
  if (view.mesh !== null) yield { kind: "mesh", mesh: view.mesh };
  for (const [, token] of sorted(view.tokens)) yield { kind: "token", token };
  for (const [node, requestId] of sorted(view.admissions)) yield { kind: "admission", node, requestId };
  for (const [, node] of sorted(view.nodes)) yield { kind: "node", node };
  for (const [, job] of sorted(view.jobs)) yield { kind: "job", job };
  for (const [, answer] of sorted(view.answers)) yield { kind: "answer", answer };
}

/** Names a record among all of a state, for ever: a later record of the same key replaces the earlier. */
export function recordKey(record: StateRecord): RecordKey {
  switch (record.kind) {
    case "mesh":
      return "mesh";
    case "token":
      return `token/${record.token.id}`;
    case "admission":
      return `admission/${record.node}`;
    case "node":
      return `node/${record.node.id}`;
    case "job":
      return `job/${record.job.id}`;
    case "answer":
      return `answer/${placeOf(record.answer)}`;
  }
}

/** The record of this key as it is now; null when it is gone. */
export function recordAt(view: StateView, key: RecordKey): StateRecord | null {
  const slash = key.indexOf("/");
  const kind = slash < 0 ? key : key.slice(0, slash);
  const name = key.slice(slash + 1);
  switch (kind) {
    case "mesh":
      return view.mesh === null ? null : { kind, mesh: view.mesh };
    case "token": {
      const token = view.tokens.get(name);
      return token === undefined ? null : { kind, token };
    }
    case "admission": {
      const node = name as NodeId;
      const requestId = view.admissions.get(node);
      return requestId === undefined ? null : { kind, node, requestId };
    }
    case "node": {
      const node = view.nodes.get(name as NodeId);
      return node === undefined ? null : { kind, node };
    }
    case "job": {
      const job = view.jobs.get(jobId(Number(name)));
      return job === undefined ? null : { kind, job };
    }
    case "answer": {
      const answer = view.answers.get(Number(name));
      return answer === undefined ? null : { kind, answer };
    }
    default:
      throw new Error(`no record has the key ${key}`);
  }
}

/** Puts a stored record back, in any order with others. Its change is told as any other. */
export function restoreRecord(state: State, record: StateRecord): void {
  switch (record.kind) {
    case "mesh":
      return state.setMesh(record.mesh);
    case "token":
      return state.putToken(record.token);
    case "admission":
      return state.putAdmission(record.node, record.requestId);
    case "node":
      return state.putNode(record.node);
    case "job":
      return state.putJob(record.job);
    case "answer":
      return state.putAnswer(record.answer);
  }
}

/** The state that `recordsOf` gave at raft index `version`, its indexes built anew. */
export function restoreState(records: Iterable<StateRecord>, version: number): State {
  const state = createState();
  if (version > 0) state.advance(version);
  for (const record of records) restoreRecord(state, record);
  return state;
}

function sorted<K extends string | number, V>(map: ReadonlyMap<K, V>): [K, V][] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
