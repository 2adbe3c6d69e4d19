import { describe, expect, it } from "vitest";
import { resolveConfig } from "./config.ts";
import { EMPTY_CONF_STATE } from "./entry.ts";
import type { Entry } from "./entry.ts";
import { RaftLog } from "./log.ts";
import { MemoryStorage } from "./storage.ts";

function entriesOf(from: number, terms: readonly number[], bytes = 0): Entry[] {
  return terms.map((term, nth) => {
    return { term, index: from + nth, type: "EntryNormal", data: new Uint8Array(bytes) };
  });
}

/** A log whose first `stable` entries are stored and the rest is not; entry i has term `terms[i - 1]`. */
function logOf(
  terms: readonly number[],
  stable = terms.length,
  maxCommittedSizePerReady = Infinity,
  bytes = 0,
): RaftLog {
  const storage = new MemoryStorage();
  const entries = entriesOf(1, terms, bytes);
  storage.append(entries.slice(0, stable));
  const log = new RaftLog(
    resolveConfig({
      id: 1,
      electionTick: 10,
      heartbeatTick: 1,
      storage,
      randomizedElectionTicks: (ticks) => ticks,
      maxSizePerMsg: Infinity,
      maxInflightMsgs: 10,
      maxCommittedSizePerReady,
    }),
  );
  log.append(entries.slice(stable));
  return log;
}

const termsOf = (log: RaftLog): number[] => {
  return Array.from({ length: log.lastIndex() }, (_, nth) => log.termOrZero(nth + 1));
};

describe("the consistency check", () => {
  it.each([
    // log, commit, previous, entries, leader commit -> last match, log, commit
    {
      name: "a missing previous entry",
      previous: [1, 4],
      add: [2],
      leader: 3,
      last: null,
      terms: [1, 2, 3],
      commit: 1,
    },
    {
      name: "a previous entry of another term",
      previous: [2, 3],
      add: [4],
      leader: 3,
      last: null,
      terms: [1, 2, 3],
      commit: 1,
    },
    {
      name: "a bare heartbeat of the commit index",
      previous: [3, 3],
      add: [],
      leader: 3,
      last: 3,
      terms: [1, 2, 3],
      commit: 3,
    },
    {
      name: "a commit index beyond what was sent",
      previous: [2, 2],
      add: [],
      leader: 3,
      last: 2,
      terms: [1, 2, 3],
      commit: 2,
    },
    {
      name: "a commit index that is behind",
      previous: [3, 3],
      add: [],
      leader: 0,
      last: 3,
      terms: [1, 2, 3],
      commit: 1,
    },
    {
      name: "new entries",
      previous: [3, 3],
      add: [4, 4],
      leader: 4,
      last: 5,
      terms: [1, 2, 3, 4, 4],
      commit: 4,
    },
    {
      name: "entries that are there already",
      previous: [1, 1],
      add: [2],
      leader: 3,
      last: 2,
      terms: [1, 2, 3],
      commit: 2,
    },
    {
      name: "a conflict, which cuts the tail",
      previous: [1, 1],
      add: [4],
      leader: 2,
      last: 2,
      terms: [1, 4],
      commit: 2,
    },
    {
      name: "entries partly there",
      previous: [1, 1],
      add: [2, 3, 4],
      leader: 9,
      last: 4,
      terms: [1, 2, 3, 4],
      commit: 4,
    },
  ])("takes $name", ({ previous, add, leader, last, terms, commit }) => {
    const log = logOf([1, 2, 3]);
    log.commitTo(1);
    const id = { term: previous[0]!, index: previous[1]! };
    expect(log.maybeAppend(id, entriesOf(id.index + 1, add), leader)).toBe(last);
    expect(termsOf(log)).toEqual(terms);
    expect(log.committed).toBe(commit);
  });

  it("stops at a conflict with what is committed", () => {
    const log = logOf([1, 2, 3]);
    log.commitTo(2);
    expect(() => log.maybeAppend({ term: 1, index: 1 }, entriesOf(2, [4]), 2)).toThrow(
      "conflict with committed entry",
    );
  });

  it("stops when told to commit what the log does not have", () => {
    expect(() => logOf([1, 2, 3]).commitTo(4)).toThrow("Was the raft log corrupted, truncated, or lost?");
  });
});

describe("findConflictByTerm", () => {
  it.each([
    // log, index, term -> index, term of the position
    [[2, 2, 5, 5, 5], 5, 4, 2, 2],
    [[2, 2, 5, 5, 5], 5, 5, 5, 5],
    [[2, 2, 5, 5, 5], 4, 9, 4, 5],
    [[2, 2, 5, 5, 5], 5, 1, 0, 0],
    [[2, 2, 5, 5, 5], 9, 5, 9, 0],
  ])(
    "in terms %j at index %d for term %d finds %d of term %d",
    (terms, index, term, expected, expectedTerm) => {
      expect(logOf(terms).findConflictByTerm(index, term)).toEqual({ index: expected, term: expectedTerm });
    },
  );
});

describe("committing", () => {
  it("takes only an entry of the given term", () => {
    const log = logOf([1, 2, 2]);
    expect(log.maybeCommit({ term: 2, index: 1 })).toBe(false);
    expect(log.maybeCommit({ term: 2, index: 3 })).toBe(true);
    expect(log.maybeCommit({ term: 2, index: 3 })).toBe(false);
    expect(log.committed).toBe(3);
  });

  it.each([
    [{ term: 3, index: 1 }, true],
    [{ term: 2, index: 3 }, true],
    [{ term: 2, index: 2 }, false],
    [{ term: 1, index: 9 }, false],
  ])("judges a log that ends with %j as up to date: %s", (last, expected) => {
    expect(logOf([1, 2, 2]).isUpToDate(last)).toBe(expected);
  });
});

describe("paging of committed entries", () => {
  it("hands out unstable entries only where that is allowed", () => {
    const log = logOf([1, 1, 1], 2);
    log.commitTo(3);
    expect(log.nextCommittedEntries(false).map(({ index }) => index)).toEqual([1, 2]);
    expect(log.nextCommittedEntries(true).map(({ index }) => index)).toEqual([1, 2, 3]);
  });

  it("pauses while a page is being applied, and goes on where it ended", () => {
    // Entries of 16 + 84 = 100 bytes each, two of which fill a page.
    const log = logOf([1, 1, 1, 1, 1], 5, 200, 84);
    log.commitTo(5);
    expect(log.nextCommittedEntries(false).map(({ index }) => index)).toEqual([1, 2]);
    log.acceptApplying(2, 200, false);
    expect(log.nextCommittedEntries(false)).toEqual([]);
    log.appliedTo(1, 100);
    expect(log.nextCommittedEntries(false).map(({ index }) => index)).toEqual([3]);
    log.acceptApplying(3, 100, false);
    log.appliedTo(3, 200);
    expect(log.nextCommittedEntries(false).map(({ index }) => index)).toEqual([4, 5]);
  });

  it("hands out an entry larger than the page by itself", () => {
    const log = logOf([1, 1], 2, 10, 84);
    log.commitTo(2);
    expect(log.nextCommittedEntries(false).map(({ index }) => index)).toEqual([1]);
  });

  it("hands out nothing while a snapshot is being stored", () => {
    const log = logOf([1, 1]);
    log.restore({ data: new Uint8Array(0), metadata: { index: 9, term: 2, confState: EMPTY_CONF_STATE } });
    expect(log.committed).toBe(9);
    expect(log.hasNextCommittedEntries(true)).toBe(false);
    expect([log.firstIndex(), log.lastIndex(), log.termOrZero(9)]).toEqual([10, 9, 2]);
  });

  it("refuses to go back, or beyond what is committed", () => {
    const log = logOf([1, 1, 1]);
    log.commitTo(2);
    log.appliedTo(2, 0);
    expect(() => log.appliedTo(1, 0)).toThrow("out of range");
    expect(() => log.appliedTo(3, 0)).toThrow("out of range");
  });
});

describe("slices over the seam between storage and the unstable end", () => {
  const indexes = (log: RaftLog, low: number, high: number, maxBytes: number): number[] | string => {
    const entries = log.slice(low, high, maxBytes);
    return typeof entries === "string" ? entries : entries.map(({ index }) => index);
  };

  it.each([
    [1, 5, Infinity, [1, 2, 3, 4]],
    [3, 5, Infinity, [3, 4]],
    [2, 4, 200, [2, 3]],
    [2, 5, 250, [2, 3]],
    [2, 4, 150, [2]],
    [3, 5, 1, [3]],
    [1, 5, 0, [1]],
  ])("[%d, %d) of at most %d bytes", (low, high, maxBytes, expected) => {
    expect(indexes(logOf([1, 1, 1, 1], 2, Infinity, 84), low, high, maxBytes)).toEqual(expected);
  });
});
