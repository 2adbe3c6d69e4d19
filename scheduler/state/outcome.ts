import type { NodeId } from "../model/ids.ts";
import type { CommandExit, JobRecord, Outcome } from "../model/job.ts";

/** Preparations refused in a row after which the job fails: it can not be prepared anywhere. */
export const refusalsMax = 3;

/** The exit code of a job that could not be set up, as `docker run` gives for the same. */
const SET_UP_FAILURE_EXIT_CODE = 125;

/** Whether the part's commands ended well; if not, what becomes of the attempt. */
export type Verdict = { readonly kind: "good" } | { readonly kind: "bad"; readonly outcome: Outcome };

/**
 * Judges commands that no order of the leader ended. The job's own failure goes before what was done to it, since a
 * rank that fails often takes its neighbours with it. An end from outside is never charged to the job.
 */
export function judgeExits(job: JobRecord, node: NodeId, exits: readonly CommandExit[]): Verdict {
  const failure = ownFailure(job, node, exits);
  if (failure !== null) return { kind: "bad", outcome: failure };
  const cut = exits.find((exit) => exit.endedBy !== "itself");
  if (cut === undefined) return { kind: "good" };
  return { kind: "bad", outcome: uncharged(`${cut.command} on node ${node} ${endedFromOutside(cut)}`) };
}

/** What becomes of the attempt when a command of it failed by itself; null if none did. */
export function ownFailure(job: JobRecord, node: NodeId, exits: readonly CommandExit[]): Outcome | null {
  const failed = exits.find((exit) => exit.endedBy === "itself" && exit.code !== 0);
  if (failed === undefined) return null;
  const detail = failed.reason === null ? "" : `: ${failed.reason}`;
  const reason = `${failed.command} on node ${node} exited with code ${failed.code}${detail}`;
  return job.failures < job.spec.maxRetries
    ? { kind: "retry", charged: true, reason }
    : { kind: "fail", exitCode: failed.code, reason };
}

/** What becomes of the attempt when a node could not prepare its part. */
export function refusedPreparation(job: JobRecord, node: NodeId, reason: string): Outcome {
  const text = `${node}: ${reason}`;
  return job.refusals + 1 < refusalsMax
    ? uncharged(text)
    : { kind: "fail", exitCode: SET_UP_FAILURE_EXIT_CODE, reason: text };
}

/** A new attempt that does not count against the job's retries. */
export function uncharged(reason: string): Outcome {
  return { kind: "retry", charged: false, reason };
}

function endedFromOutside(exit: CommandExit): string {
  const detail = exit.reason === null ? "" : `: ${exit.reason}`;
  switch (exit.endedBy) {
    case "deadline":
      return `was ended because its node's lease ran out${detail}`;
    case "shim-lost":
      return `was ended by the loss of its shim${detail}`;
    case "stopped":
    case "itself":
      return `was stopped though nobody had ordered it${detail}`;
  }
}
