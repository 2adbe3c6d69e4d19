import type { JobSpec } from "../model/job.ts";
import type { DraftNode } from "./draft.ts";
import type { Filter } from "./filter.ts";
import { pool } from "./filters/pool.ts";
import { ports } from "./filters/ports.ts";
import { ready } from "./filters/ready.ts";
import { shape } from "./filters/shape.ts";

/** In the order in which a node is judged; the first that says no is the reason given. */
export const FILTERS: readonly Filter[] = [pool, ready, shape, ports];

/** The first filter that keeps the job off the node; null where one part of it fits. */
export function firstObjection(node: DraftNode, spec: JobSpec): Filter | null {
  return FILTERS.find((filter) => !filter.check(node, spec)) ?? null;
}
