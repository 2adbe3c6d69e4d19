import { describe, expect, it } from "vitest";
import { Inflights } from "./inflights.ts";
import { Progress } from "./progress.ts";

function progressAt(match: number, next: number, maxInflightMsgs = 256): Progress {
  const progress = new Progress(next, new Inflights(maxInflightMsgs, Infinity), {
    isLearner: false,
    recentActive: true,
  });
  progress.match = match;
  return progress;
}

describe("progress", () => {
  it("probes behind a snapshot that was sent, and behind what matches when it failed", () => {
    const arrived = progressAt(1, 5);
    arrived.becomeSnapshot(10);
    expect(arrived.isPaused).toBe(true);
    arrived.becomeProbe();
    expect(arrived.next).toBe(11);

    const failed = progressAt(1, 5);
    failed.becomeSnapshot(10);
    failed.pendingSnapshot = 0;
    failed.becomeProbe();
    expect(failed.next).toBe(2);
  });

  it("replicates from behind what matches", () => {
    const progress = progressAt(3, 20);
    progress.becomeReplicate();
    expect([progress.match, progress.next]).toEqual([3, 4]);
  });

  it("pauses a probe after one message with entries, not after an empty one", () => {
    const progress = progressAt(0, 1);
    progress.sentEntries(0, 0);
    expect(progress.isPaused).toBe(false);
    progress.sentEntries(1, 10);
    expect(progress.isPaused).toBe(true);
  });

  it("pauses replication when the window is full", () => {
    const progress = progressAt(0, 1, 2);
    progress.becomeReplicate();
    progress.sentEntries(1, 1);
    expect(progress.isPaused).toBe(false);
    progress.sentEntries(3, 1);
    expect([progress.isPaused, progress.next]).toEqual([true, 5]);
  });

  it.each([
    // state, match, next, rejected, hint, taken, next afterwards
    ["StateReplicate", 5, 10, 5, 5, false, 10],
    ["StateReplicate", 5, 10, 4, 4, false, 10],
    ["StateReplicate", 5, 10, 9, 9, true, 6],
    ["StateProbe", 0, 10, 5, 2, false, 10],
    ["StateProbe", 0, 10, 9, 2, true, 3],
    ["StateProbe", 0, 10, 9, 20, true, 9],
    ["StateProbe", 4, 10, 9, 0, true, 5],
  ] as const)(
    "%s match=%d next=%d takes a rejection at %d with hint %d: %s, next=%d",
    (state, match, next, rejected, hint, taken, expected) => {
      const progress = progressAt(match, next);
      progress.state = state;
      expect(progress.maybeDecreaseTo(rejected, hint)).toBe(taken);
      expect(progress.next).toBe(expected);
    },
  );

  it("takes only acknowledgements that bring news, and never lets next fall behind match", () => {
    const progress = progressAt(3, 5);
    expect(progress.maybeUpdate(2)).toBe(false);
    expect(progress.maybeUpdate(3)).toBe(false);
    expect(progress.maybeUpdate(4)).toBe(true);
    expect([progress.match, progress.next]).toEqual([4, 5]);
    expect(progress.maybeUpdate(9)).toBe(true);
    expect([progress.match, progress.next]).toEqual([9, 10]);
  });

  it("knows whether a commit index is news to the follower", () => {
    const progress = progressAt(0, 6);
    expect(progress.canBumpCommit(3)).toBe(true);
    progress.sentCommit(3);
    expect(progress.canBumpCommit(3)).toBe(false);
    progress.sentCommit(5);
    // The follower was sent nothing behind 5 that could be committed.
    expect(progress.canBumpCommit(9)).toBe(false);
  });
});
