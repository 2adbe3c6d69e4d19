import { recordsOf } from "./records.ts";
import type { StateView } from "./state.ts";

/**
 * The whole state as canonical JSON: keys sorted, records in one order. Equal on all replicas at an equal raft index,
 * whatever way each came there (by the log, or by a snapshot).
 */
export function canonicalState(view: StateView): string {
  return canonicalJson({ version: view.version, records: [...recordsOf(view)] });
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
