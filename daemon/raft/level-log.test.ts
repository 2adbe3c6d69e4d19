import fc from "fast-check";
import { Level } from "level";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EMPTY_CONF_STATE } from "./core/core.ts";
import type { ConfState, Entry, HardState } from "./core/core.ts";
import { LevelLog } from "./level-log.ts";
import { entryKey, HEAD_KEY, recordStoreKey } from "./log-record.ts";
import { LogError } from "./raft-log.ts";
import type { AppliedPoint, LogBatch, RecoveredLog } from "./raft-log.ts";

let folder: string;
let open: LevelLog[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gpumesh-log-"));
});

afterEach(async () => {
  await closeAll();
  await rm(folder, { recursive: true });
});

async function openLog(onFatal: (error: LogError) => void = failOnFatal): Promise<LevelLog> {
  const log = await LevelLog.open(folder, { onFatal });
  open.push(log);
  return log;
}

async function closeAll(): Promise<void> {
  for (const log of open) await log.close();
  open = [];
}

function failOnFatal(error: LogError): void {
  throw error;
}

/** What a log that is opened now recovers. */
async function reopened(): Promise<RecoveredLog> {
  await closeAll();
  return (await openLog()).recovered;
}

const entry = (index: number, term: number, text: string): Entry => ({
  index,
  term,
  type: "EntryNormal",
  data: new Uint8Array(Buffer.from(text)),
});

const batch = (entries: readonly Entry[], hardState: HardState | null = null): LogBatch => ({
  entries,
  hardState,
  applied: null,
  compactTo: null,
  install: null,
});

const NOTHING_APPLIED: AppliedPoint = { index: 0, term: 0, confState: EMPTY_CONF_STATE };

/** Changes the database behind the log's back. */
async function tamper(action: (database: Level<Buffer, Buffer>) => Promise<void>): Promise<void> {
  await closeAll();
  const database = new Level<Buffer, Buffer>(folder, { keyEncoding: "buffer", valueEncoding: "buffer" });
  await database.open();
  await action(database);
  await database.close();
}

async function expectDamage(pattern: RegExp): Promise<void> {
  const error: unknown = await LevelLog.open(folder, { onFatal: failOnFatal }).catch(
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LogError);
  expect(error).toMatchObject({ code: "damaged" });
  const { message } = error as LogError;
  expect(message).toMatch(pattern);
  expect(message).toContain(folder);
  expect(message).toContain("join as a new member");
}

describe("LevelLog", () => {
  it("is empty at first", async () => {
    const log = await openLog();
    expect(log.recovered).toEqual({
      entries: [],
      hardState: { term: 0, vote: 0, commit: 0 },
      start: { index: 0, term: 0 },
      applied: NOTHING_APPLIED,
    });
    expect(log.lastIndex).toBe(0);
  });

  it("gives back after a restart what was appended", async () => {
    const log = await openLog();
    const state: ConfState = {
      voters: [1, 2, 2 ** 40],
      votersOutgoing: [1],
      learners: [7],
      learnersNext: [],
      autoLeave: true,
    };
    const entries: Entry[] = [
      entry(1, 1, ""),
      { index: 2, term: 2 ** 50, type: "EntryConfChangeV2", data: Uint8Array.of(0, 255, 7) },
    ];
    await log.append(batch(entries, { term: 2 ** 50, vote: 3, commit: 1 }));
    const point: AppliedPoint = { index: 2, term: 2 ** 50, confState: state };
    await log.append({ ...batch([]), applied: { point, changes: [] } });
    expect(await reopened()).toEqual({
      entries,
      hardState: { term: 2 ** 50, vote: 3, commit: 1 },
      start: { index: 0, term: 0 },
      applied: point,
    });
  });

  it("replaces a conflicting tail", async () => {
    const log = await openLog();
    await log.append(batch([1, 2, 3, 4, 5].map((index) => entry(index, 1, `old ${index}`))));
    await log.append(batch([entry(3, 2, "new 3")]));
    expect(log.lastIndex).toBe(3);
    expect((await reopened()).entries).toEqual([
      entry(1, 1, "old 1"),
      entry(2, 1, "old 2"),
      entry(3, 2, "new 3"),
    ]);
  });

  it("holds after every restart what a plain list would hold", async () => {
    const step = fc.record({ back: fc.nat(4), count: fc.nat(4), data: fc.string({ maxLength: 20 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        await closeAll();
        await rm(folder, { recursive: true });
        let log = await openLog();
        let model: Entry[] = [];
        for (const [nth, { back, count, data }] of steps.entries()) {
          model = model.slice(0, Math.max(0, model.length - (count === 0 ? 0 : back)));
          const added = Array.from({ length: count }, (_, at) => entry(model.length + at + 1, nth + 1, data));
          model = [...model, ...added];
          await log.append(batch(added, { term: nth + 1, vote: 1, commit: 0 }));
          if (nth % 4 === 3) {
            expect((await reopened()).entries).toEqual(model);
            log = open[0]!;
          }
        }
        expect((await reopened()).entries).toEqual(model);
      }),
      { numRuns: 25 },
    );
  });

  it("refuses a gap, a replaced commit, and a HardState that goes back", async () => {
    const log = await openLog();
    await log.append(batch([entry(1, 1, "a"), entry(2, 1, "b")], { term: 2, vote: 0, commit: 1 }));
    await expect(log.append(batch([entry(4, 2, "gap")]))).rejects.toThrow(/log ends at 2/);
    await expect(log.append(batch([entry(3, 2, "x"), entry(5, 2, "y")]))).rejects.toThrow(
      /leaves a gap behind itself/,
    );
    await expect(log.append(batch([entry(1, 2, "again")]))).rejects.toThrow(/committed up to 1/);
    await expect(log.append(batch([], { term: 1, vote: 0, commit: 1 }))).rejects.toThrow(/would go back/);
    await expect(log.append(batch([], { term: 2, vote: 0, commit: 0 }))).rejects.toThrow(/would go back/);
    expect((await reopened()).entries).toHaveLength(2);
  });

  it("says that another process has the folder", async () => {
    await openLog();
    await expect(LevelLog.open(folder, { onFatal: failOnFatal })).rejects.toMatchObject({ code: "locked" });
  });

  it("reports the first failed write as fatal, once, and acknowledges nothing after it", async () => {
    const fatal: LogError[] = [];
    const log = await openLog((error) => void fatal.push(error));
    await log.append(batch([entry(1, 1, "a")]));
    await log.close();
    await expect(log.append(batch([entry(2, 1, "b")]))).rejects.toMatchObject({ code: "storage" });
    await expect(log.append(batch([entry(2, 1, "b")]))).rejects.toMatchObject({ code: "storage" });
    expect(fatal).toHaveLength(1);
    expect(fatal[0]?.message).toContain(folder);
    expect(log.lastIndex).toBe(1);
  });
});

describe("the records of a LevelLog", () => {
  const point = (index: number): AppliedPoint => ({ index, term: 1, confState: EMPTY_CONF_STATE });
  const five = [1, 2, 3, 4, 5].map((index) => entry(index, 1, `entry ${index}`));

  async function records(): Promise<Record<string, string>> {
    await closeAll();
    const found: Record<string, string> = {};
    const onRecord = (key: string, value: Uint8Array): void => {
      found[key] = Buffer.from(value).toString();
    };
    open.push(await LevelLog.open(folder, { onFatal: failOnFatal, onRecord }));
    return found;
  }

  it("are given back as they were with the applied index", async () => {
    const log = await openLog();
    await log.append(batch(five, { term: 1, vote: 1, commit: 5 }));
    const changes = [
      { key: "a", value: Buffer.from("one") },
      { key: "b", value: Buffer.from("two") },
    ];
    await log.append({ ...batch([]), applied: { point: point(3), changes } });
    const later = [
      { key: "a", value: null },
      { key: "b", value: Buffer.from("2") },
    ];
    await log.append({ ...batch([]), applied: { point: point(4), changes: later } });
    expect(await records()).toEqual({ b: "2" });
    expect(open[0]?.recovered.applied).toEqual(point(4));
  });

  it("let the log forget what they hold, and nothing more", async () => {
    const log = await openLog();
    await log.append(batch(five, { term: 1, vote: 1, commit: 5 }));
    await expect(log.append({ ...batch([]), compactTo: { index: 3, term: 1 } })).rejects.toThrow(/forgotten/);
    await expect(
      log.append({ ...batch([entry(6, 1, "")]), applied: { point: point(6), changes: [] } }),
    ).rejects.toThrow(/log ends at 5/);
    await log.append({ ...batch([]), applied: { point: point(4), changes: [] } });
    await log.append({ ...batch([entry(6, 1, "six")]), compactTo: { index: 3, term: 1 } });
    await log.append(batch([entry(7, 1, "seven")]));
    await log.append(batch([entry(6, 2, "other six")]));
    const recovered = await reopened();
    expect(recovered.start).toEqual({ index: 3, term: 1 });
    expect(recovered.entries.map(({ index, term }) => [index, term])).toEqual([
      [4, 1],
      [5, 1],
      [6, 2],
    ]);
    expect(open[0]?.lastIndex).toBe(6);
  });

  it("are damaged when one is changed, missing, or from before", async () => {
    const log = await openLog();
    await log.append(batch(five, { term: 1, vote: 1, commit: 5 }));
    const change = (value: string) => [{ key: "a", value: Buffer.from(value) }];
    await log.append({ ...batch([]), applied: { point: point(1), changes: change("one") } });
    const key = recordStoreKey(1, "a");
    let older: Buffer = Buffer.alloc(0);
    await tamper(async (database) => {
      older = await database.get(key);
    });
    const again = await openLog();
    await again.append({ ...batch([]), applied: { point: point(2), changes: change("two") } });
    await tamper((database) => database.put(key, older));
    await expectDamage(/1 records were found that are not the 1 stored last/);
    await tamper((database) => database.put(key, Buffer.concat([Buffer.from("x"), older.subarray(1)])));
    await expectDamage(/record a does not match its checksum/);
    await tamper((database) => database.del(key));
    await expectDamage(/0 records were found/);
  });

  it("of another generation are cleared", async () => {
    await openLog();
    const left = [0, 2, 7].map((generation) => recordStoreKey(generation, "left"));
    await tamper((database) => database.batch(left.map((key) => ({ type: "put", key, value: key }))));
    expect(await records()).toEqual({});
    await tamper(async (database) => {
      for (const key of left) expect(await database.get(key)).toBeUndefined();
    });
  });
});

describe("a snapshot that replaces a log", () => {
  const entries = Array.from({ length: 20 }, (_, nth) => entry(nth + 1, 1, `entry ${nth + 1}`));
  const point = (index: number): AppliedPoint => ({ ...NOTHING_APPLIED, index, term: 2 });

  async function storedEntries(): Promise<readonly number[]> {
    const found: number[] = [];
    await tamper(async (database) => {
      for (let index = 1; index <= 20; index++) {
        if ((await database.get(entryKey(index))) !== undefined) found.push(index);
      }
    });
    return found;
  }

  it("replaces the entries behind it at once, and has those before it cleared", async () => {
    const log = await openLog();
    await log.append(batch(entries, { term: 1, vote: 1, commit: 3 }));
    const hardState = { term: 2, vote: 0, commit: 15 };
    await log.append({ ...batch([]), hardState, install: { point: point(15), staged: log.stage() } });
    await log.append(batch([entry(16, 2, "another sixteen")]));
    expect((await reopened()).entries).toEqual([entry(16, 2, "another sixteen")]);
    expect(await storedEntries()).toEqual([16]);
  });

  it("is not taken for damage when those before it were not cleared yet", async () => {
    const log = await openLog();
    await log.append(batch([], { term: 1, vote: 1, commit: 0 }));
    const hardState = { term: 2, vote: 0, commit: 15 };
    await log.append({ ...batch([]), hardState, install: { point: point(15), staged: log.stage() } });
    await log.append(batch([entry(16, 2, "sixteen")]));
    await tamper((database) =>
      database.batch([3, 4, 15].map((index) => ({ type: "put", key: entryKey(index), value: entryKey(1) }))),
    );
    const recovered = await reopened();
    expect(recovered.start).toEqual({ index: 15, term: 2 });
    expect(recovered.entries).toEqual([entry(16, 2, "sixteen")]);
    expect(await storedEntries()).toEqual([16]);
  });
});

describe("a damaged LevelLog", () => {
  beforeEach(async () => {
    const log = await openLog();
    await log.append(batch([entry(1, 1, "one"), entry(2, 1, "two")], { term: 1, vote: 1, commit: 2 }));
    await log.append(batch([entry(3, 1, "three"), entry(4, 1, "four")]));
  });

  it.each([1, 2, 3, 4])("is found when any byte of entry %i is changed", async (index) => {
    const key = entryKey(index);
    let original: Buffer = Buffer.alloc(0);
    await tamper(async (database) => {
      original = await database.get(key);
    });
    for (let at = 0; at < original.length; at++) {
      const changed = Buffer.from(original);
      changed[at]! ^= 0x10;
      await tamper((database) => database.put(key, changed));
      await expectDamage(new RegExp(`entry ${index} does not match its checksum`));
    }
  });

  it("is found when any byte of the head is changed", async () => {
    let original: Buffer = Buffer.alloc(0);
    await tamper(async (database) => {
      original = await database.get(HEAD_KEY);
    });
    for (let at = 0; at < original.length; at++) {
      const changed = Buffer.from(original);
      changed[at]! ^= 0x01;
      await tamper((database) => database.put(HEAD_KEY, changed));
      await expectDamage(/the head does not match its checksum/);
    }
  });

  it.each([1, 2, 3])("is found when entry %i is missing", async (index) => {
    await tamper((database) => database.del(entryKey(index)));
    await expectDamage(new RegExp(`entry ${index} is missing`));
  });

  it("is found when the last entry is missing", async () => {
    await tamper((database) => database.del(entryKey(4)));
    await expectDamage(/should end at entry 4 but ends at 3/);
  });

  it("is found when the head is missing", async () => {
    await tamper((database) => database.del(HEAD_KEY));
    await expectDamage(/batch 1, out of order/);
  });

  it("is found when a replaced entry comes back", async () => {
    let replaced: Buffer = Buffer.alloc(0);
    await tamper(async (database) => {
      replaced = await database.get(entryKey(3));
    });
    const log = await openLog();
    await log.append(batch([entry(3, 2, "third"), entry(4, 2, "fourth")]));
    await tamper((database) => database.put(entryKey(3), replaced));
    await expectDamage(/entry 4 does not match its checksum/);
  });

  it("is found when the head is from before the last batch", async () => {
    let older: Buffer = Buffer.alloc(0);
    await tamper(async (database) => {
      older = await database.get(HEAD_KEY);
    });
    const log = await openLog();
    await log.append(batch([entry(5, 1, "five")]));
    await tamper((database) => database.put(HEAD_KEY, older));
    await expectDamage(/entry 5 is of batch 3, out of order/);
  });
});
