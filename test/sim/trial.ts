import { scenarioOf } from "./scenario.ts";
import { shrink, withFaults } from "./shrink.ts";
import { simulate } from "./simulation.ts";
import type { Failure } from "./verdict.ts";

export interface Trial {
  readonly seed: number;
  readonly failure: Failure | null;
  readonly marks: readonly string[];
  readonly events: number;
  readonly operations: number;
}

/** Rare situations that a run over many seeds must have gone through, or it has shown little. */
export const MARKS: readonly string[] = [
  "all stages of recovery",
  "answer lost",
  "batch lost in the kill",
  "bridge partition",
  "conflict truncation",
  "damaged log refused",
  "disk error",
  "disk full",
  "duplicate submit",
  "failover hint taken",
  "joint leave",
  "joint membership",
  "lag",
  "leader change",
  "leader without a quorum steps down",
  "leadership transfer",
  "liveness beside a voter: dead",
  "liveness beside a voter: deaf",
  "liveness beside a voter: half",
  "liveness beside a voter: hung disk",
  "liveness beside a voter: mute",
  "log compacted",
  "members: add",
  "members: demote",
  "members: learner",
  "members: promote",
  "members: remove",
  "members: replace",
  "message duplicated",
  "message overtaken",
  "messages held up",
  "new leader struck",
  "older image refused",
  "one-way partition",
  "partition",
  "pause",
  "pre-vote refused",
  "read served by a follower",
  "retry of an unknown outcome",
  "snapshot installed",
  "stalled disk",
  "stream reset",
  "synced tail lost",
  "unsynced batch lost with the power",
  "vote refused under a live leader",
  "voters changed by policy",
  "wall clock set",
];

/** Runs a seed, and once more to see that it comes to the same. */
export async function tryTwice(seed: number): Promise<Trial> {
  const first = await tryOnce(seed);
  const second = await tryOnce(seed);
  if (first.hash === second.hash && first.events === second.events) return first;
  const failure = {
    invariant: "a run can be repeated",
    detail: `${first.events} and ${second.events} events`,
    atMs: 0,
  };
  return { ...first, failure: first.failure ?? failure };
}

/** @param kept positions of the faults that strike; all of them by default */
export async function tryOnce(
  seed: number,
  kept: readonly number[] | null = null,
): Promise<Trial & { readonly hash: number }> {
  const scenario = scenarioOf(seed);
  const { marks, ...outcome } = await simulate(kept === null ? scenario : withFaults(scenario, kept));
  return { seed, marks: [...marks], ...outcome };
}

/** What is needed of the seed's faults for its failure, and the command that shows it. */
export async function explain(seed: number, found: Failure): Promise<string> {
  const scenario = scenarioOf(seed);
  // Once more, for a worker knows of no stack traces.
  const failure = (await tryOnce(seed)).failure ?? found;
  const kept = await shrink(scenario, failure);
  const faults = withFaults(scenario, kept).faults.map((fault) => `    ${JSON.stringify(fault)}\n`);
  return (
    `seed ${seed} failed at ${failure.atMs} ms: ${failure.invariant}\n  ${failure.detail}\n` +
    `  with ${kept.length} of ${scenario.faults.length} faults:\n${faults.join("")}` +
    `  npm run -s sim -- --seeds 1 --from ${seed} --keep ${kept.length === 0 ? "none" : kept.join(",")}`
  );
}
