import fc from "fast-check";
import { Level } from "level";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ConfState, Entry, HardState } from "./core/core.ts";
import { LevelLog, LogError } from "./level-log.ts";
import type { LogBatch, RecoveredLog } from "./level-log.ts";
import { entryKey, HEAD_KEY } from "./log-record.ts";

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
  confState: null,
});

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
      confState: null,
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
    await log.append({ entries: [], hardState: null, confState: { index: 2, state } });
    expect(await reopened()).toEqual({
      entries,
      hardState: { term: 2 ** 50, vote: 3, commit: 1 },
      confState: { index: 2, state },
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
