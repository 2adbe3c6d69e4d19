import { beforeEach, describe, expect, it } from "vitest";
import { SnapshotHolds } from "./snapshot-holds.ts";

describe("SnapshotHolds", () => {
  let matches: Map<number, number>;
  let applied: number;
  let holds: SnapshotHolds;

  beforeEach(() => {
    matches = new Map();
    applied = 100;
    holds = new SnapshotHolds({
      matchOf: (member) => matches.get(member) ?? null,
      applied: () => applied,
    });
  });

  it("hold the log from the lowest snapshot that is on its way", () => {
    expect(holds.heldFrom()).toBeNull();
    holds.begin(2, 70);
    holds.begin(3, 50);
    expect(holds.heldFrom()).toBe(50);
    holds.end(3, false);
    expect(holds.heldFrom()).toBe(70);
    holds.end(2, false);
    expect(holds.heldFrom()).toBeNull();
  });

  it("follow who has taken it, until it has what was applied by then", () => {
    holds.begin(2, 70);
    applied = 120;
    matches.set(2, 0);
    holds.end(2, true);
    expect(holds.heldFrom()).toBe(70);
    matches.set(2, 90);
    expect(holds.heldFrom()).toBe(90);
    applied = 500;
    matches.set(2, 119);
    expect(holds.heldFrom()).toBe(119);
    matches.set(2, 120);
    expect(holds.heldFrom()).toBeNull();
  });

  it("end for a member that is counted no more, but not while a snapshot is on its way to it", () => {
    holds.begin(2, 70);
    expect(holds.heldFrom()).toBe(70);
    holds.end(2, true);
    expect(holds.heldFrom()).toBeNull();
  });
});
