import type { ApplyResult, PartReport, ReportPart } from "../model/command.ts";
import { partHasTasks } from "../model/ranks.ts";
import type { Attempt, CommandExit, JobRecord, Outcome, Part } from "../model/job.ts";
import { isGone, settle, terminating, withAttempt, withProgress, type ActiveState } from "./finish.ts";
import { judgeExits, ownFailure, refusedPreparation, uncharged } from "./outcome.ts";
import { APPLIED, refused, stale } from "./refusal.ts";
import type { State } from "./state.ts";

/** A part's report, and what it is about. */
interface Context {
  readonly state: State;
  readonly job: JobRecord;
  readonly current: ActiveState;
  readonly part: Part;
  readonly at: number;
}

/**
 * Takes a node's word of its part. Only the holder of the fence is heard. A part's progress only moves forward: a
 * report of what is already known, or is behind it, is a repeat and changes nothing.
 */
export function reportPart(state: State, command: ReportPart): ApplyResult {
  const job = state.jobs.get(command.job);
  if (job === undefined) return stale(`there is no job ${command.job}`);
  if (!("attempt" in job.state)) return stale(`job ${job.id} is ${job.state.kind}, it has no active attempt`);
  const { attempt } = job.state;
  const { epoch, index } = attempt.fence;
  if (command.attempt !== attempt.number || command.fence.epoch !== epoch || command.fence.index !== index) {
    return stale(`job ${job.id} is at attempt ${attempt.number} with fence (${epoch}, ${index})`);
  }
  const part = attempt.parts.find((candidate) => candidate.node === command.node);
  if (part === undefined) return stale(`node ${command.node} has no part in job ${job.id}`);
  if (part.progress.kind === "lost") return stale(`the part of job ${job.id} on node ${part.node} was lost`);

  return take({ state, job, current: job.state, part, at: command.at }, command.report);
}

function take(context: Context, report: PartReport): ApplyResult {
  switch (report.kind) {
    case "prepared":
      return takePrepared(context);
    case "refused":
      return takeRefused(context, report.reason);
    case "exited":
      return takeExited(context, report.exits);
    case "stopped":
      return takeStopped(context, report.exits);
  }
}

function takePrepared({ state, job, current, part, at }: Context): ApplyResult {
  if (part.progress.kind !== "assigned") return APPLIED;
  settle(state, job, withAttempt(current, withProgress(current.attempt, part, { kind: "prepared" })), at);
  return APPLIED;
}

/** Nothing was started on the node, so its part is gone at once. */
function takeRefused({ state, job, current, part, at }: Context, reason: string): ApplyResult {
  if (part.progress.kind === "exited" || part.progress.kind === "stopped") return APPLIED;
  const attempt = withProgress(current.attempt, part, { kind: "stopped", exits: [] });
  if (current.kind === "terminating") {
    settle(state, job, withAttempt(current, attempt), at);
  } else {
    const outcome = refusedPreparation(job, part.node, reason);
    settle(state, { ...job, refusals: job.refusals + 1 }, terminating(current, attempt, outcome), at);
  }
  return APPLIED;
}

function takeExited(context: Context, exits: readonly CommandExit[]): ApplyResult {
  const { state, job, current, part, at } = context;
  if (part.progress.kind === "exited" || part.progress.kind === "stopped") return APPLIED;
  if (part.progress.kind !== "started" || current.kind === "starting") {
    return refused(
      "impossible",
      `job ${job.id} was not started on node ${part.node}, so nothing can have exited`,
    );
  }
  if (exits.length === 0 && partHasTasks(job.spec, current.attempt.parts.indexOf(part))) {
    return refused(
      "impossible",
      `node ${part.node} reports no exit of the tasks that job ${job.id} has there`,
    );
  }

  const attempt = withProgress(current.attempt, part, { kind: "exited", exits });
  if (current.kind === "terminating") {
    settle(state, job, endingStill(context, attempt, exits), at);
    return APPLIED;
  }
  const verdict = judgeExits(job, part.node, exits);
  if (verdict.kind === "bad") settle(state, job, terminating(current, attempt, verdict.outcome), at);
  else if (allTasksDone(job, attempt))
    settle(state, job, terminating(current, attempt, { kind: "succeed" }), at);
  else settle(state, job, withAttempt(current, attempt), at);
  return APPLIED;
}

function takeStopped(context: Context, exits: readonly CommandExit[]): ApplyResult {
  const { state, job, current, part, at } = context;
  if (isGone(part)) return APPLIED;
  const known = part.progress.kind === "exited" ? part.progress.exits : [];
  const all = exits.length > 0 ? exits : known;
  const attempt = withProgress(current.attempt, part, { kind: "stopped", exits: all });
  if (current.kind === "terminating") {
    settle(state, job, endingStill(context, attempt, exits), at);
    return APPLIED;
  }

  const failure = ownFailure(job, part.node, exits);
  if (failure !== null) settle(state, job, terminating(current, attempt, failure), at);
  // Its tasks had all ended well before, so their leaving takes nothing from the gang.
  else if (part.progress.kind === "exited") settle(state, job, withAttempt(current, attempt), at);
  else settle(state, job, terminating(current, attempt, unaskedStop(part)), at);
  return APPLIED;
}

/** A terminating job keeps its outcome, but a success does not stand against a command that failed by itself. */
function endingStill(
  { job, current, part }: Context,
  attempt: Attempt,
  exits: readonly CommandExit[],
): ActiveState {
  const next = withAttempt(current, attempt);
  if (next.kind !== "terminating" || next.outcome.kind !== "succeed") return next;
  return { ...next, outcome: ownFailure(job, part.node, exits) ?? next.outcome };
}

function unaskedStop(part: Part): Outcome {
  return uncharged(`node ${part.node} stopped its part though nobody had ordered it`);
}

/** In a running attempt only a part whose tasks ended well is exited or stopped; the others ended the attempt. */
function allTasksDone(job: JobRecord, attempt: Attempt): boolean {
  return attempt.parts.every(
    ({ progress }, index) =>
      !partHasTasks(job.spec, index) || progress.kind === "exited" || progress.kind === "stopped",
  );
}
