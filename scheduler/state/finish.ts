import type { Attempt, JobRecord, JobState, Outcome, Part, PartProgress, PastAttempt } from "../model/job.ts";
import type { State } from "./state.ts";
import { moveJob } from "./transition.ts";

/** Past attempts kept for each job; the oldest is dropped. */
export const historyLengthMax = 20;

/** A job whose attempt holds resources. */
export type ActiveState = Extract<JobState, { readonly attempt: Attempt }>;

/** The attempt with the progress of one part replaced. */
export function withProgress(attempt: Attempt, part: Part, progress: PartProgress): Attempt {
  return {
    ...attempt,
    parts: attempt.parts.map((other) => (other.node === part.node ? { ...part, progress } : other)),
  };
}

/** The same state with a newer picture of its attempt. */
export function withAttempt<S extends ActiveState>(state: S, attempt: Attempt): S {
  return { ...state, attempt };
}

/** The attempt is to end as `outcome` says, once all of it is proven gone. */
export function terminating(state: ActiveState, attempt: Attempt, outcome: Outcome): ActiveState {
  return { kind: "terminating", attempt, startedAt: startOf(state), outcome };
}

/**
 * Writes the job's new state. A terminating attempt whose every part is stopped or lost ends here, and only here are
 * its resources free: until then each of its nodes may still run a process of it.
 */
export function settle(state: State, job: JobRecord, next: ActiveState, at: number): void {
  moveJob(state, { ...job, state: next });
  if (next.kind !== "terminating" || !next.attempt.parts.every(isGone)) return;

  const past: PastAttempt = {
    number: next.attempt.number,
    placedAt: next.attempt.placedAt,
    startedAt: next.startedAt,
    endedAt: at,
    nodes: next.attempt.parts.map((part) => part.node),
    outcome: next.outcome,
  };
  const charged = next.outcome.kind === "retry" && next.outcome.charged;
  moveJob(state, {
    ...job,
    state: afterwards(next.outcome, at),
    failures: job.failures + (charged ? 1 : 0),
    history: [...job.history, past].slice(-historyLengthMax),
  });
}

/** True once the part is proven to run nothing of its attempt. */
export function isGone(part: Part): boolean {
  return part.progress.kind === "stopped" || part.progress.kind === "lost";
}

function startOf(state: ActiveState): number | null {
  return state.kind === "starting" ? null : state.startedAt;
}

function afterwards(outcome: Outcome, at: number): JobState {
  switch (outcome.kind) {
    case "succeed":
      return { kind: "succeeded", endedAt: at };
    case "fail":
      return { kind: "failed", endedAt: at, exitCode: outcome.exitCode, reason: outcome.reason };
    case "cancel":
      return { kind: "cancelled", endedAt: at, reason: outcome.reason };
    case "retry":
      return { kind: "queued", since: at, because: outcome.reason };
  }
}
