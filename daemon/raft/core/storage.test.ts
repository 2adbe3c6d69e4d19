import { beforeEach, describe, expect, it } from "vitest";
import { EMPTY_BYTES, EMPTY_CONF_STATE } from "./entry.ts";
import type { Entry } from "./entry.ts";
import { MemoryStorage } from "./storage.ts";

const entriesFrom = (index: number, ...terms: readonly number[]): Entry[] => {
  return terms.map((term, nth) => ({ term, index: index + nth, type: "EntryNormal", data: EMPTY_BYTES }));
};

describe("memory storage", () => {
  let storage: MemoryStorage;
  const terms = (): (number | string)[] => {
    const [first, last] = [storage.firstIndex(), storage.lastIndex()];
    return Array.from({ length: last - first + 1 }, (_, nth) => storage.term(first + nth));
  };

  beforeEach(() => {
    storage = new MemoryStorage();
    storage.applySnapshot({
      data: EMPTY_BYTES,
      metadata: { index: 3, term: 3, confState: EMPTY_CONF_STATE },
    });
    storage.append(entriesFrom(4, 4, 5));
  });

  it("knows terms from one before its first index to its last", () => {
    expect([2, 3, 4, 5, 6].map((index) => storage.term(index))).toEqual([
      "compacted",
      3,
      4,
      5,
      "unavailable",
    ]);
  });

  it.each([
    ["after the end", entriesFrom(6, 5), [4, 5, 5]],
    ["over the end", entriesFrom(5, 6, 6), [4, 6, 6]],
    ["inside, which cuts the tail", entriesFrom(4, 6), [6]],
    ["that are partly compacted", entriesFrom(2, 3, 3, 6), [6]],
    ["that are compacted", entriesFrom(2, 3, 3), [4, 5]],
  ])("appends entries %s", (_, entries, expected) => {
    storage.append(entries);
    expect(terms()).toEqual(expected);
  });

  it("refuses to leave a gap", () => {
    expect(() => storage.append(entriesFrom(7, 6))).toThrow("missing log entry");
  });

  it("returns entries up to a size, and at least one", () => {
    const indexes = (low: number, high: number, maxBytes: number): unknown => {
      const entries = storage.entries(low, high, maxBytes);
      return typeof entries === "string" ? entries : entries.map(({ index }) => index);
    };
    expect(indexes(3, 5, Infinity)).toBe("compacted");
    expect(indexes(4, 6, Infinity)).toEqual([4, 5]);
    expect(indexes(4, 6, 0)).toEqual([4]);
    expect(indexes(4, 6, 31)).toEqual([4]);
    expect(indexes(4, 6, 32)).toEqual([4, 5]);
    expect(() => indexes(4, 7, Infinity)).toThrow("out of bound");
  });

  it("compacts up to an index, once", () => {
    storage.compact(4);
    expect([storage.firstIndex(), storage.lastIndex(), storage.term(4)]).toEqual([5, 5, 4]);
    expect(() => storage.compact(4)).toThrow("compaction");
    expect(() => storage.compact(6)).toThrow("out of bound");
  });

  it("makes snapshots of its log only forwards", () => {
    const made = storage.createSnapshot(4, { ...EMPTY_CONF_STATE, voters: [1] }, new Uint8Array([7]));
    expect(made.metadata).toMatchObject({ index: 4, term: 4, confState: { voters: [1] } });
    expect(storage.snapshot()).toBe(made);
    expect(() => storage.createSnapshot(4, null, EMPTY_BYTES)).toThrow("older than the existing snapshot");
    expect(() => storage.applySnapshot(made)).toThrow("older than the existing snapshot");
    expect(storage.initialState().confState.voters).toEqual([1]);
  });
});
