import type { Scenario } from "./scenario.ts";
import { simulate } from "./simulation.ts";
import type { Failure } from "./verdict.ts";

/** Runs that one shrinking may take. */
const RUNS_MAX = 150;

/**
 * Leaves out faults as long as the same invariant fails (Zeller's delta debugging). Returns the positions in the
 * scenario's list of the faults that are needed.
 */
export async function shrink(scenario: Scenario, failure: Failure): Promise<readonly number[]> {
  let kept: readonly number[] = scenario.faults.map((_, position) => position);
  let runs = 0;
  const fails = async (positions: readonly number[]): Promise<boolean> => {
    runs++;
    const outcome = await simulate(withFaults(scenario, positions));
    return outcome.failure?.invariant === failure.invariant;
  };
  if (await fails([])) return [];
  for (let parts = 2; parts <= kept.length && runs < RUNS_MAX;) {
    const size = Math.ceil(kept.length / parts);
    let smaller: readonly number[] | null = null;
    for (let from = 0; from < kept.length && smaller === null && runs < RUNS_MAX; from += size) {
      const rest = [...kept.slice(0, from), ...kept.slice(from + size)];
      if (await fails(rest)) smaller = rest;
    }
    if (smaller !== null) {
      kept = smaller;
      parts = Math.max(2, parts - 1);
    } else if (size === 1) {
      break;
    } else {
      parts = Math.min(kept.length, 2 * parts);
    }
  }
  return kept;
}

/** The scenario with only the faults at these positions. */
export function withFaults(scenario: Scenario, positions: readonly number[]): Scenario {
  return { ...scenario, faults: scenario.faults.filter((_, position) => positions.includes(position)) };
}
