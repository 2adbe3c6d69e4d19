import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Entry } from "./core/core.ts";
import { LevelLog } from "./level-log.ts";
import type { LogBatch } from "./raft-log.ts";
import { SyncedMarkFile } from "./synced-mark.ts";

let root: string;
let folder: string;
let copies = 0;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "gpumesh-mark-"));
  folder = join(root, "log");
});

afterEach(() => rm(root, { recursive: true }));

const entry = (index: number, term = 1): Entry => ({
  index,
  term,
  type: "EntryNormal",
  data: new Uint8Array(50).fill(index),
});

const batch = (entries: readonly Entry[], commit = 0): LogBatch => {
  const hardState = { term: entries.at(-1)?.term ?? 1, vote: 0, commit };
  return { entries, hardState, applied: null, compactTo: null, install: null };
};

const openLog = (at: string): Promise<LevelLog> =>
  LevelLog.open(at, {
    onFatal: (error) => {
      throw error;
    },
  });

/** The log's folder as a crash would leave it now. */
async function crashCopy(): Promise<string> {
  const copy = join(root, `copy-${copies++}`);
  await cp(folder, copy, { recursive: true });
  await rm(join(copy, "LOCK"), { force: true });
  return copy;
}

async function journalOf(at: string): Promise<string> {
  const names = (await readdir(at)).filter((name) => name.endsWith(".log"));
  expect(names).toHaveLength(1);
  return join(at, names[0] ?? "");
}

async function lastIndexOf(at: string): Promise<number> {
  const log = await openLog(at);
  await log.close();
  return log.lastIndex;
}

describe("a log that lost synced batches", () => {
  it("is refused as soon as more is gone than the one that the mark is behind", async () => {
    const log = await openLog(folder);
    const journal = await journalOf(folder);
    const sizes: number[] = [];
    for (let index = 1; index <= 5; index++) {
      await log.append(batch([entry(index)]));
      sizes.push((await stat(journal)).size);
    }
    const [, , third = 0, fourth = 0, fifth = 0] = sizes;
    const crashed = await crashCopy();
    await log.close();
    const whole = await readFile(await journalOf(crashed));
    // A torn write of the newest batch, at every length: it was never acknowledged if it is not whole.
    for (let length = third; length <= fifth; length += length < fourth - 3 ? 13 : 1) {
      const torn = join(root, "torn");
      await cp(crashed, torn, { recursive: true });
      await writeFile(await journalOf(torn), whole.subarray(0, length));
      if (length < fourth) {
        await expect(lastIndexOf(torn)).rejects.toMatchObject({
          code: "damaged",
          message: expect.stringMatching(/torn.*batch 4 was synced.*join as a new member/s),
        });
      } else {
        expect(await lastIndexOf(torn)).toBe(length === fifth ? 5 : 4);
      }
      await rm(torn, { recursive: true });
    }
  });

  it("is refused when an older copy of the database is put in its place", async () => {
    const log = await openLog(folder);
    for (let index = 1; index <= 3; index++) await log.append(batch([entry(index)]));
    const older = await crashCopy();
    for (let index = 4; index <= 6; index++) await log.append(batch([entry(index)]));
    await log.close();
    await cp(join(folder, "last-synced"), join(older, "last-synced"));
    await expect(lastIndexOf(older)).rejects.toThrow(
      /batch 6 was synced but the newest one found is batch 3/,
    );
  });

  it("is refused when the database is gone", async () => {
    const log = await openLog(folder);
    await log.append(batch([entry(1)]));
    await log.close();
    const mark = await readFile(join(folder, "last-synced"));
    expect(mark.length).toBeLessThanOrEqual(64);
    await rm(folder, { recursive: true });
    await openLog(folder).then((fresh) => fresh.close());
    await writeFile(join(folder, "last-synced"), mark);
    await expect(lastIndexOf(folder)).rejects.toThrow(
      /batch 1 was synced but the newest one found is batch 0/,
    );
  });

  it("is refused when another log's newer batches are in it", async () => {
    const log = await openLog(folder);
    await log.append(batch([entry(1)]));
    const other = await crashCopy();
    await log.append(batch([entry(2), entry(3)]));
    await log.close();
    const fork = await openLog(other);
    await fork.append(batch([2, 3, 4].map((index) => entry(index, 7))));
    await fork.append(batch([entry(5, 7)]));
    await fork.close();
    await cp(join(folder, "last-synced"), join(other, "last-synced"));
    await expect(lastIndexOf(other)).rejects.toThrow(/entry 3 is not the one that batch 2 left last/);
  });
});

describe("the last-synced file", () => {
  it("does not stand in the way of replaced entries, compaction or a snapshot", async () => {
    const confState = { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
    const log = await openLog(folder);
    await log.append(
      batch(
        [1, 2, 3, 4, 5, 6].map((index) => entry(index)),
        2,
      ),
    );
    const check = async (): Promise<void> => {
      await lastIndexOf(await crashCopy());
    };
    await log.append(batch([entry(4, 2)], 2));
    await check();
    await log.append(batch([entry(5, 2)], 4));
    await log.append({
      ...batch([]),
      hardState: null,
      applied: { point: { index: 4, term: 2, confState }, changes: [] },
    });
    await log.append({ ...batch([]), hardState: null, compactTo: { index: 4, term: 2 } });
    await check();
    await log.append({ ...batch([]), hardState: null });
    await check();
    const install = { point: { index: 5, term: 3, confState }, staged: log.stage() };
    await log.append({ ...batch([]), hardState: { term: 3, vote: 0, commit: 5 }, install });
    await check();
    await log.append(batch([entry(6, 3)], 5));
    await check();
    await log.close();
    expect(await lastIndexOf(folder)).toBe(6);
  });

  it("survives a torn write of either half, and says when it can not be read at all", async () => {
    const path = join(root, "mark");
    const { markFile, found } = await SyncedMarkFile.open(path);
    expect(found).toBeNull();
    for (const number of [7, 8]) await markFile.write({ batch: number, lastIndex: 10 * number, lastSum: 1 });
    await markFile.close();
    const whole = await readFile(path);
    const readWith = async (damaged: readonly number[]): Promise<unknown> => {
      const bytes = Buffer.from(whole);
      for (const at of damaged) bytes[at]! ^= 1;
      await writeFile(path, bytes);
      const opened = await SyncedMarkFile.open(path);
      await opened.markFile.close();
      return opened.found;
    };
    expect(await readWith([])).toEqual({ batch: 8, lastIndex: 80, lastSum: 1 });
    expect(await readWith([3])).toEqual({ batch: 7, lastIndex: 70, lastSum: 1 });
    expect(await readWith([40])).toEqual({ batch: 8, lastIndex: 80, lastSum: 1 });
    expect(await readWith([3, 40])).toBe("damaged");
  });

  it("names nothing yet when the write of its first mark was torn", async () => {
    const path = join(root, "mark");
    const { markFile } = await SyncedMarkFile.open(path);
    await markFile.write({ batch: 1, lastIndex: 1, lastSum: 1 });
    await markFile.close();
    const whole = await readFile(path);
    // Its last bytes are unused.
    for (let length = 0; length < whole.length - 8; length++) {
      await writeFile(path, whole.subarray(0, length));
      const opened = await SyncedMarkFile.open(path);
      await opened.markFile.close();
      expect(opened.found).toBeNull();
    }
  });

  it("keeps the mark before the torn one, whichever batches were left out", async () => {
    const path = join(root, "mark");
    const { markFile } = await SyncedMarkFile.open(path);
    for (const number of [1, 3, 5]) {
      const before = await readFile(path);
      await markFile.write({ batch: number, lastIndex: number, lastSum: 1 });
      const after = await readFile(path);
      const torn = after.map((byte, at) => (at % 32 < 10 ? byte : (before[at] ?? 0)));
      await writeFile(path, torn);
      const opened = await SyncedMarkFile.open(path);
      await opened.markFile.close();
      expect(opened.found).toEqual(
        number === 1 ? null : { batch: number - 2, lastIndex: number - 2, lastSum: 1 },
      );
      await writeFile(path, after);
    }
    await markFile.close();
  });
});
