import type { ApplyResult, CancelJob, SubmitJob } from "../model/command.ts";
import { jobId } from "../model/ids.ts";
import type { JobRecord, Outcome } from "../model/job.ts";
import { settle, terminating } from "./finish.ts";
import { once } from "./once.ts";
import { APPLIED, refused } from "./refusal.ts";
import type { State } from "./state.ts";
import { enterJob, moveJob } from "./transition.ts";

/** The same request id always names the same job, also long after that job has ended. */
export function submitJob(state: State, command: SubmitJob): ApplyResult {
  const known = state.jobByRequest(command.requestId);
  if (known !== null) return { kind: "job", job: known.id };

  const id = jobId(state.jobs.size + 1);
  enterJob(state, {
    id,
    requestId: command.requestId,
    spec: command.spec,
    submittedAt: command.at,
    submittedBy: command.submittedBy,
    state: { kind: "queued", since: command.at, because: null },
    attempts: 0,
    failures: 0,
    refusals: 0,
    history: [],
  });
  return { kind: "job", job: id };
}

/** A queued job is cancelled at once; an active one when its attempt is proven gone. */
export function cancelJob(state: State, command: CancelJob): ApplyResult {
  return once(state, command.requestId, () => cancel(state, command));
}

function cancel(state: State, command: CancelJob): ApplyResult {
  const job = state.jobs.get(command.job);
  if (job === undefined) return refused("not-found", `there is no job ${command.job}`);

  const reason = `cancelled by ${command.by}`;
  const outcome: Outcome = { kind: "cancel", reason };
  switch (job.state.kind) {
    case "queued":
      moveJob(state, { ...job, state: { kind: "cancelled", endedAt: command.at, reason } });
      return APPLIED;
    case "starting":
    case "running":
      settle(state, job, terminating(job.state, job.state.attempt, outcome), command.at);
      return APPLIED;
    case "terminating":
      if (job.state.outcome.kind !== "retry")
        return refused("impossible", alreadyEnding(job, job.state.outcome));
      settle(state, job, { ...job.state, outcome }, command.at);
      return APPLIED;
    case "succeeded":
    case "failed":
    case "cancelled":
      return refused(
        "impossible",
        `job ${job.id} can not be cancelled: it has already ${ended(job.state.kind)}`,
      );
  }
}

function ended(kind: "succeeded" | "failed" | "cancelled"): string {
  return kind === "cancelled" ? "been cancelled" : kind;
}

function alreadyEnding(job: JobRecord, outcome: Exclude<Outcome, { kind: "retry" }>): string {
  const what = { succeed: "has succeeded", fail: "has failed", cancel: "is being cancelled" }[outcome.kind];
  return `job ${job.id} can not be cancelled: it ${what}, and its processes are being stopped`;
}
