import type { JobRecord } from "../model/job.ts";
import { priority } from "./rules/priority.ts";
import { submission } from "./rules/submission.ts";

/** Negative where `a` goes before `b`, positive where after, 0 where the rule does not care. */
type OrderRule = (a: JobRecord, b: JobRecord) => number;

/** The first rule that cares decides. The last one must care about any two jobs, so that the order is total. */
const RULES: readonly OrderRule[] = [priority, submission];

/** The jobs by who is served first. A new list; the same for every order of the input. */
export function orderQueue(jobs: Iterable<JobRecord>): JobRecord[] {
  return [...jobs].toSorted(compare);
}

function compare(a: JobRecord, b: JobRecord): number {
  for (const rule of RULES) {
    const order = rule(a, b);
    if (order !== 0) return order;
  }
  return 0;
}
