import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BrokenCall } from "./broken-call.ts";
import { Retrying } from "./retrying.ts";

const { signal } = new AbortController();
const broken = new BrokenCall("UNAVAILABLE", "the leader died");

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function retrying(addresses: readonly string[]): Retrying {
  return new Retrying({ meshId: "mesh-1", addresses, retryForMs: 30_000, moveOnFrom: () => {} }, signal);
}

/** How many ms it waits before the next try. */
async function pauseMs(run: Retrying): Promise<number> {
  const begun = performance.now();
  const again = run.after("a", broken);
  await vi.runAllTimersAsync();
  await again;
  return performance.now() - begun;
}

describe("Retrying", () => {
  it("asks another daemon at once after the first failure, and pauses after the others", async () => {
    const run = retrying(["a", "b", "c"]);
    expect(await pauseMs(run)).toBe(0);
    expect(await pauseMs(run)).toBeGreaterThanOrEqual(25);
    run.succeeded();
    expect(await pauseMs(run)).toBe(0);
  });

  it("pauses before it asks the only daemon again", async () => {
    expect(await pauseMs(retrying(["a"]))).toBeGreaterThanOrEqual(25);
  });
});
