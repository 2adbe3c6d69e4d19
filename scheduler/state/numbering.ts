import { jobId, type JobId } from "../model/ids.ts";
import type { JobRecord } from "../model/job.ts";
import type { StateView } from "./state.ts";

/**
 * A recovery leaves so many numbers out: those that were lost may have given some to jobs and attempts that the survivor
 * has never heard of, and whose traces are still on the nodes.
 */
const NUMBERS_LEFT_OUT = 1_000;

/** From which number on jobs are numbered after a recovery now. */
export function jobFloorOfRecovery(view: StateView): number {
  return view.newestJob + NUMBERS_LEFT_OUT;
}

export function nextJob(view: StateView): JobId {
  return jobId(Math.max(view.newestJob, view.mesh?.jobFloor ?? 0) + 1);
}

/** The number of the job's next attempt. */
export function nextAttempt(view: StateView, job: JobRecord): number {
  const { recoveryEpoch = 0, jobFloor = 0 } = view.mesh ?? {};
  const floor = job.id <= jobFloor ? recoveryEpoch * NUMBERS_LEFT_OUT : 0;
  return Math.max(job.attempts, floor) + 1;
}
