import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { percentile } from "./percentile.ts";

describe("percentile", () => {
  it.each([
    [5, 15],
    [30, 20],
    [40, 20],
    [50, 35],
    [100, 50],
  ])("takes the nearest rank: %i percent of five values", (p, expected) => {
    expect(percentile([35, 20, 15, 50, 40], p)).toBe(expected);
  });

  it("is the smallest value that p percent do not exceed", () => {
    const values = fc.array(fc.integer(), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 100 }), (numbers, p) => {
        const found = percentile(numbers, p);
        const share = (limit: number): number => numbers.filter((n) => n <= limit).length / numbers.length;
        expect(numbers).toContain(found);
        expect(share(found)).toBeGreaterThanOrEqual(p / 100);
        for (const smaller of numbers.filter((n) => n < found)) expect(share(smaller)).toBeLessThan(p / 100);
      }),
    );
  });

  it("refuses what has no answer", () => {
    expect(() => percentile([], 50)).toThrow("no value was measured");
    expect(() => percentile([1], 0)).toThrow("above 0 and at most 100");
    expect(() => percentile([1], 101)).toThrow("above 0 and at most 100");
  });
});
