import fc from "fast-check";
import { expect, it } from "vitest";
import { formatInstant } from "./instant.ts";

it("writes the instant that Date writes, cut to the second", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Date.UTC(2399, 11, 31) }), (unixMs) => {
      expect(formatInstant(unixMs)).toBe(`${new Date(unixMs).toISOString().slice(0, 19)}Z`);
    }),
  );
});
