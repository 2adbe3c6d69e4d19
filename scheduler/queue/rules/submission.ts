import type { JobRecord } from "../../model/job.ts";

/** Who was accepted first. A job that is tried again keeps its place. */
export function submission(a: JobRecord, b: JobRecord): number {
  return a.id - b.id;
}
