import type { Filter } from "../filter.ts";

/** A job runs in the pool it names. A node that never registered has shown no pool yet, so it is not ruled out here. */
export const pool: Filter = {
  name: "pool",
  check: ({ record }, spec) => record.facts === null || record.facts.pool === spec.pool,
  explain: ({ record }, spec) =>
    `is in pool ${record.facts?.pool ?? "unknown"}, the job runs in pool ${spec.pool}`,
};
