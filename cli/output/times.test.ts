import { describe, expect, it } from "vitest";
import { instant, parseSpan, span } from "./times.ts";

describe("times", () => {
  it.each([
    [-5, "0s"],
    [999, "0s"],
    [12_400, "12s"],
    [60_000, "1m"],
    [61_000, "1m1s"],
    [2 * 3_600_000 + 5 * 60_000 + 9_000, "2h5m"],
    [3 * 86_400_000 + 4 * 3_600_000, "3d4h"],
  ])("a span of %d ms is %s", (ms, text) => {
    expect(span(ms)).toBe(text);
  });

  it("an instant is in UTC, and shows when it is not set", () => {
    expect(instant(1_777_636_800_000)).toBe("2026-05-01T12:00:00Z");
    expect(instant(0)).toBe("-");
  });

  it.each([
    ["90s", 90_000],
    ["1h30m", 5_400_000],
    ["7d", 7 * 86_400_000],
    ["1", null],
    ["h", null],
    ["1.5h", null],
    ["-1h", null],
    ["", null],
    ["1h 30m", null],
  ])("the span %j has %s ms", (text, ms) => {
    expect(parseSpan(text)).toBe(ms);
  });
});
