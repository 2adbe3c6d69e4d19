import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isoDuration, wallClockSeconds } from "./wall-clock.ts";

describe("wallClockSeconds", () => {
  it.each([
    ["7.00:00:00", 604_800],
    ["01:30:05", 5_405],
    ["P7D", 604_800],
    ["PT1H30M", 5_400],
    ["P1DT1S", 86_401],
    ["P", null],
    ["PT", null],
    ["P1DT", null],
    ["7 days", null],
    ["", null],
  ])("reads %j as %j", (text, seconds) => {
    expect(wallClockSeconds(text)).toBe(seconds);
  });

  it("reads what isoDuration writes", () => {
    const seconds = fc.integer({ min: 1, max: 604_800 });
    fc.assert(fc.property(seconds, (count) => wallClockSeconds(isoDuration(count)) === count));
  });
});
