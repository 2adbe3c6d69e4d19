import type { Attempt, Job } from "../client/client.ts";
import { facts, table } from "../output/table.ts";
import { instant, span } from "../output/times.ts";
import { visible } from "../output/visible.ts";

/** A job for people. The first line says in which state it is, and why. */
export function describeJob(job: Job): string {
  const { wait } = job;
  const summary = facts([
    ["name", job.name],
    ["priority", job.priority],
    ["pool", job.pool],
    ["nodes", String(job.nodeCount)],
    ["toolkit", job.toolkit],
    ["workspace", `${job.workspace}/${job.experiment}`],
    ["submitted", `${instant(job.submittedAtMs)} by ${job.submittedBy}`],
    ["started", instant(job.startedAtMs)],
    ["ended", instant(job.endedAtMs)],
    ...(job.state === "succeeded" || job.state === "failed"
      ? [["exit code", String(job.exitCode)] as const]
      : []),
  ]);
  const parts = [`${describeEnd(job)}\n`, summary];
  if (wait !== null && wait.nodes.length > 0) {
    parts.push(
      `It needs ${wait.nodesNeeded} ${wait.nodesNeeded === 1 ? "node" : "nodes"}; ${wait.nodesAvailable} could take a part of it now:\n` +
        table(
          ["NODE", "FITS", "WHY"],
          wait.nodes.map(({ node, fits, reason }) => [node, fits ? "yes" : "no", reason]),
        ),
    );
  }
  if (job.attempts.length > 0) parts.push(table(TITLES, job.attempts.flatMap(attemptRows)));
  return parts.join("\n");
}

/** `job 12 (train) failed with exit code 3: ...`, safe for a terminal. */
export function describeEnd(job: Job): string {
  const verb = {
    succeeded: "succeeded",
    failed: `failed with exit code ${job.exitCode}`,
    cancelled: "was cancelled",
  };
  const state = Object.hasOwn(verb, job.state) ? verb[job.state as keyof typeof verb] : `is ${job.state}`;
  const why = job.reason === "" ? "" : `: ${job.reason}`;
  return visible(`job ${job.id} (${job.name}) ${state}${why}`);
}

const TITLES = ["ATTEMPT", "NODE", "GPUS", "SLOTS", "STATE", "STARTED", "RAN", "REASON"];

/** One row for each node of the attempt; what is true of the whole attempt stands in the first. */
function attemptRows(attempt: Attempt): readonly (readonly string[])[] {
  const ended = attempt.endedAtMs > 0 && attempt.startedAtMs > 0;
  const whole = [
    instant(attempt.startedAtMs),
    ended ? span(attempt.endedAtMs - attempt.startedAtMs) : "",
    attempt.reason,
  ];
  return attempt.parts.map((part, index) => [
    index === 0 ? String(attempt.number) : " ",
    part.node,
    part.gpus.length === 0 ? "" : String(part.gpus.length),
    part.slots === 0 ? "" : String(part.slots),
    attempt.outcome === "" ? part.progress : attempt.outcome,
    ...(index === 0 ? whole : whole.map(() => " ")),
  ]);
}
