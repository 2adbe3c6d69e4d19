import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { merge } from "./merge.ts";

const never = new AbortController().signal;

async function* values<T>(of: readonly T[]): AsyncGenerator<T, void> {
  for (const value of of) {
    await Promise.resolve();
    yield value;
  }
}

async function collect<T>(merged: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const value of merged) all.push(value);
  return all;
}

describe("merge", () => {
  it("yields all values of all sources, each source's in order", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat())),
        fc.integer({ min: 1, max: 4 }),
        async (lists, openMax) => {
          const sources = lists.map((list, source) => () => values(list.map((value) => ({ source, value }))));
          const merged = await collect(merge(sources, openMax, never));
          const bySource = lists.map((_, index) =>
            merged.filter(({ source }) => source === index).map(({ value }) => value),
          );
          expect(bySource).toEqual(lists);
        },
      ),
    );
  });

  it("holds no more sources open than it may", async () => {
    let open = 0;
    let most = 0;
    const source = async function* (): AsyncGenerator<number, void> {
      most = Math.max(most, ++open);
      yield* values([1, 2, 3]);
      open--;
    };
    await collect(merge([source, source, source, source, source], 2, never));
    expect(most).toBe(2);
  });

  it("fails with the first source that fails, and stops the others", async () => {
    let stopped = false;
    const waits = async function* (signal: AbortSignal): AsyncGenerator<number, void> {
      yield 1;
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      stopped = true;
    };
    const fails = async function* (): AsyncGenerator<number, void> {
      yield 2;
      throw new Error("broken");
    };
    await expect(collect(merge([waits, fails], 2, never))).rejects.toThrow("broken");
    expect(stopped).toBe(true);
  });

  it("stops its sources when it is left", async () => {
    let stopped = false;
    const endless = async function* (): AsyncGenerator<number, void> {
      try {
        for (;;) yield* values([1]);
      } finally {
        stopped = true;
      }
    };
    for await (const _ of merge([endless], 1, never)) break;
    expect(stopped).toBe(true);
  });
});
