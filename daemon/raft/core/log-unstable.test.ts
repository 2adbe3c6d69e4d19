import { describe, expect, it } from "vitest";
import { SILENT_LOGGER } from "./config.ts";
import { EMPTY_CONF_STATE } from "./entry.ts";
import type { Entry, Snapshot } from "./entry.ts";
import { UnstableLog } from "./log-unstable.ts";

function entry(index: number, term: number): Entry {
  return { index, term, type: "EntryNormal", data: new Uint8Array(0) };
}

function snapshotAt(index: number, term: number): Snapshot {
  return { data: new Uint8Array(0), metadata: { index, term, confState: EMPTY_CONF_STATE } };
}

function unstableOf(offset: number, ...entries: readonly Entry[]): UnstableLog {
  const unstable = new UnstableLog(offset, SILENT_LOGGER);
  if (entries.length > 0) unstable.truncateAndAppend(entries);
  return unstable;
}

const positions = (entries: readonly Entry[]): string[] =>
  entries.map(({ term, index }) => `${term}/${index}`);

describe("the unstable end of the log", () => {
  it("hands each entry out once", () => {
    const unstable = unstableOf(5, entry(5, 1), entry(6, 1));
    expect(positions(unstable.nextEntries())).toEqual(["1/5", "1/6"]);
    unstable.acceptInProgress();
    expect(unstable.hasNextEntries).toBe(false);
    unstable.truncateAndAppend([entry(7, 1)]);
    expect(positions(unstable.nextEntries())).toEqual(["1/7"]);
  });

  it("keeps entries until their write is acknowledged", () => {
    const unstable = unstableOf(5, entry(5, 1), entry(6, 1));
    unstable.acceptInProgress();
    unstable.stableTo({ index: 5, term: 1 });
    expect([unstable.offset, unstable.length]).toEqual([6, 1]);
    unstable.stableTo({ index: 6, term: 1 });
    expect([unstable.offset, unstable.offsetInProgress, unstable.length]).toEqual([7, 7, 0]);
  });

  it.each([
    ["an entry that was replaced", { index: 5, term: 1 }],
    ["an entry before this part", { index: 4, term: 1 }],
    ["an entry that does not exist", { index: 9, term: 2 }],
  ])("ignores the acknowledgement of %s", (_, id) => {
    const unstable = unstableOf(5, entry(5, 2));
    unstable.stableTo(id);
    expect([unstable.offset, unstable.length]).toEqual([5, 1]);
  });

  it("writes replaced entries again, even while their predecessors are being written", () => {
    const unstable = unstableOf(5, entry(5, 1), entry(6, 1), entry(7, 1));
    unstable.acceptInProgress();
    unstable.truncateAndAppend([entry(6, 2)]);
    expect(positions(unstable.nextEntries())).toEqual(["2/6"]);
    expect(unstable.lastIndex()).toBe(6);
  });

  it("takes entries before its start, which replace what was stored", () => {
    const unstable = unstableOf(5, entry(5, 1));
    unstable.truncateAndAppend([entry(3, 2), entry(4, 2)]);
    expect([unstable.offset, unstable.lastIndex()]).toEqual([3, 4]);
    expect(positions(unstable.nextEntries())).toEqual(["2/3", "2/4"]);
  });

  it("does not change a list that it was given", () => {
    const given = [entry(5, 1)];
    const unstable = unstableOf(6);
    unstable.truncateAndAppend(given);
    unstable.truncateAndAppend([entry(6, 1)]);
    expect(given).toHaveLength(1);
  });

  it("drops everything for a snapshot, and the snapshot when it is stored", () => {
    const unstable = unstableOf(5, entry(5, 1));
    unstable.restore(snapshotAt(9, 3));
    expect([unstable.offset, unstable.length, unstable.term(9), unstable.firstIndex()]).toEqual([
      10, 0, 3, 10,
    ]);
    expect(unstable.nextSnapshot()?.metadata.index).toBe(9);
    unstable.acceptInProgress();
    expect(unstable.nextSnapshot()).toBeNull();
    unstable.stableSnapshotTo(8);
    expect(unstable.snapshot).not.toBeNull();
    unstable.stableSnapshotTo(9);
    expect(unstable.snapshot).toBeNull();
    expect(unstable.lastIndex()).toBeUndefined();
  });
});
