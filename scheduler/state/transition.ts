import { activeAttempt, type JobRecord, type JobState } from "../model/job.ts";
import { nextAttempt } from "./numbering.ts";
import type { State } from "./state.ts";

type Kind = JobState["kind"];

/** Where a job may go from each state. A move within a state replaces that state's data, such as a part's progress. */
const MOVES: Readonly<Record<Kind, readonly Kind[]>> = {
  queued: ["starting", "cancelled"],
  starting: ["starting", "running", "terminating"],
  running: ["running", "terminating"],
  terminating: ["terminating", "queued", "succeeded", "failed", "cancelled"],
  succeeded: [],
  failed: [],
  cancelled: [],
};

/** Lets a new job in. It begins as queued. */
export function enterJob(state: State, job: JobRecord): void {
  if (state.jobs.has(job.id)) throw new Error(`job ${job.id} entered twice`);
  if (job.state.kind !== "queued")
    throw new Error(`job ${job.id} entered as ${job.state.kind}, not as queued`);
  state.putJob(job);
}

/**
 * The one door for every change of a job: `next` replaces the record. An illegal move is a broken invariant and
 * throws; callers refuse it as a command before they come here.
 */
export function moveJob(state: State, next: JobRecord): void {
  const current = state.jobs.get(next.id);
  if (current === undefined) throw new Error(`job ${next.id} moved before it entered`);
  const move = `job ${next.id} from ${current.state.kind} to ${next.state.kind}`;
  if (!MOVES[current.state.kind].includes(next.state.kind)) throw new Error(`illegal move of ${move}`);

  const before = activeAttempt(current);
  const after = activeAttempt(next);
  if (before === null && after !== null && after.number !== nextAttempt(state, current)) {
    throw new Error(`${move}: attempt ${after.number} follows attempt ${current.attempts}`);
  }
  if (before !== null && after !== null && before.number !== after.number) {
    throw new Error(`${move}: attempt ${after.number} took the place of active attempt ${before.number}`);
  }
  state.putJob(next);
}
