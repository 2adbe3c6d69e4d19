import { describe, expect, it } from "vitest";
import { isLinearizable } from "./history.ts";
import type { Operation, Seen } from "./history.ts";

const submit = (calledAt: number, answeredAt = Infinity): Operation => {
  return { kind: "submit", calledAt, answeredAt, seen: null };
};
const cancel = (calledAt: number, answeredAt = Infinity): Operation => {
  return { kind: "cancel", calledAt, answeredAt, seen: null };
};
const read = (seen: Seen, calledAt: number, answeredAt: number): Operation => {
  return { kind: "read", calledAt, answeredAt, seen };
};

describe("a history", () => {
  it("is explained when each answer fits a moment between call and answer", () => {
    expect(isLinearizable([submit(1, 5), read("absent", 2, 3), read("queued", 2, 3)])).toBe(true);
    expect(isLinearizable([submit(1, 2), cancel(3, 6), read("queued", 4, 5), read("cancelled", 4, 5)])).toBe(
      true,
    );
  });

  it("may leave out what was never answered, or let it happen late", () => {
    expect(isLinearizable([submit(1), read("absent", 2, 3)])).toBe(true);
    expect(isLinearizable([submit(1), read("absent", 2, 3), read("queued", 4, 5)])).toBe(true);
  });

  it("is not explained by a read of the past", () => {
    expect(isLinearizable([submit(1, 2), read("absent", 3, 4)])).toBe(false);
    expect(isLinearizable([submit(1, 2), cancel(3, 4), read("queued", 5, 6)])).toBe(false);
  });

  it("is not explained when one reader goes back behind another", () => {
    expect(isLinearizable([submit(1), read("queued", 2, 3), read("absent", 4, 5)])).toBe(false);
  });
});
