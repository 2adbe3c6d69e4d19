import { encodeConfChange } from "./core/core.ts";
import type { Entry } from "./core/core.ts";
import type { LogBatch } from "./raft-log.ts";

/** The term of the entries that a log begins with; the first election is for the term after it. */
const BOOTSTRAP_TERM = 1;

/**
 * The beginning of a new group's log: one committed membership change for each of its first voters. The membership must
 * stand in the log itself, since a member that joins later learns it from nowhere else.
 */
export function bootstrapBatch(voters: readonly number[]): LogBatch {
  const entries = voters.map((nodeId, nth): Entry => {
    const change = { kind: "v1", type: "ConfChangeAddNode", nodeId, context: new Uint8Array() } as const;
    return { term: BOOTSTRAP_TERM, index: nth + 1, ...encodeConfChange(change) };
  });
  const hardState = { term: BOOTSTRAP_TERM, vote: 0, commit: entries.length };
  return { entries, hardState, applied: null, compactTo: null, install: null };
}
