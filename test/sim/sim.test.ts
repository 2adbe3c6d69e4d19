import { describe, expect, it } from "vitest";
import { scenarioOf } from "./scenario.ts";
import { shrink } from "./shrink.ts";
import { explain, tryTwice } from "./trial.ts";

/** A first look; the suite `simulator` runs many more. */
const SEEDS = 20;

describe("a group of whole replicas under faults", () => {
  it(`keeps every invariant in ${SEEDS} runs, each the same when repeated`, async () => {
    const failures: string[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { failure } = await tryTwice(seed);
      if (failure !== null) failures.push(await explain(seed, failure));
    }
    expect(failures).toEqual([]);
  });
});

describe("shrinking", () => {
  it("finds that a failure that needs no fault needs none", async () => {
    const never = { invariant: "none that there is", detail: "", atMs: 0 };
    const scenario = { ...scenarioOf(3), chaosMs: 500, faults: scenarioOf(3).faults.slice(0, 2) };
    expect(await shrink(scenario, never)).toHaveLength(2);
  });
});
