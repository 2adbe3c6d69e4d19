import { beforeEach, describe, expect, it } from "vitest";
import { EMPTY_CONF_STATE } from "./core/core.ts";
import type { Entry } from "./core/core.ts";
import { SyncedEntries } from "./synced-entries.ts";

const DATA_BYTES = 84;
/** What raft counts for one of them. */
const ENTRY_BYTES = 100;

const LIMITS = {
  entriesKeptMin: 10,
  entriesKeptBytesMax: 1000 * ENTRY_BYTES,
  compactedPerBatchMin: 5,
  compactedPerBatchMax: 50,
  heldEntriesMax: 200,
  heldBytesMax: 500 * ENTRY_BYTES,
};

describe("the compaction of synced entries", () => {
  let log: SyncedEntries;

  beforeEach(() => {
    const start = { index: 0, term: 0 };
    const applied = { ...start, confState: EMPTY_CONF_STATE };
    const hardState = { term: 1, vote: 1, commit: 0 };
    log = new SyncedEntries({ start, entries: [], hardState, applied });
  });

  /** Appends up to this index and stores all of it as applied. */
  function grow(last: number): void {
    const entries: Entry[] = [];
    for (let index = log.lastIndex() + 1; index <= last; index++) {
      entries.push({ index, term: 1, type: "EntryNormal", data: new Uint8Array(DATA_BYTES) });
    }
    log.synced(entries);
    log.appliedStored({ index: last, term: 1, confState: EMPTY_CONF_STATE });
  }

  /** Compacts as the writer does, until there is no more to compact; returns the first entry that is left. */
  function compact(limits = LIMITS, heldFrom: number | null = null): number {
    for (;;) {
      const to = log.compactionPoint(limits, heldFrom, 0);
      if (to === null) return log.firstIndex();
      expect(to.index - log.firstIndex()).toBeLessThan(limits.compactedPerBatchMax);
      log.compacted(to);
    }
  }

  it("leaves the newest entries, and goes in steps", () => {
    grow(14);
    expect(compact()).toBe(1);
    grow(180);
    expect(compact()).toBe(171);
  });

  it("keeps pace with what is appended", () => {
    grow(180);
    expect(log.compactionPoint(LIMITS, null, 0)?.index).toBe(50);
    expect(log.compactionPoint(LIMITS, null, 120)?.index).toBe(120);
    expect(log.compactionPoint(LIMITS, null, 1000)?.index).toBe(170);
  });

  it("leaves less of large entries", () => {
    grow(180);
    expect(compact({ ...LIMITS, entriesKeptBytesMax: 4 * ENTRY_BYTES })).toBe(177);
  });

  it("leaves what the receiver of a snapshot will want, whatever else would be forgotten", () => {
    grow(100);
    expect(compact({ ...LIMITS, entriesKeptBytesMax: 0 }, 60)).toBe(61);
    expect(compact(LIMITS, 60)).toBe(61);
    expect(compact(LIMITS, null)).toBe(91);
  });

  it("is held back no longer once the log has more than so many entries", () => {
    grow(60);
    expect(compact(LIMITS, 55)).toBe(51);
    grow(250);
    expect(compact(LIMITS, 50)).toBe(51);
    grow(251);
    // What was held is gone with the first step, so nothing of it is worth keeping.
    expect(compact(LIMITS, 50)).toBe(242);
  });

  it("is held back no longer once the log has more than so many bytes", () => {
    const limits = { ...LIMITS, heldBytesMax: 30 * ENTRY_BYTES };
    grow(30);
    expect(compact(limits, 0)).toBe(1);
    grow(31);
    expect(compact(limits, 0)).toBe(22);
  });

  it("is not held back for a receiver whose entries are gone already", () => {
    grow(100);
    expect(compact()).toBe(91);
    grow(150);
    expect(compact(LIMITS, 80)).toBe(141);
  });
});
