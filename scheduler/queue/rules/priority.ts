import { PRIORITIES, type JobRecord } from "../../model/job.ts";

/** High before normal before low. */
export function priority(a: JobRecord, b: JobRecord): number {
  return PRIORITIES.indexOf(a.spec.priority) - PRIORITIES.indexOf(b.spec.priority);
}
