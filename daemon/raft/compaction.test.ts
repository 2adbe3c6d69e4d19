import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AppliedList, FAST_TIMING, KEEP_LITTLE, TestGroup } from "./driver.fixture.ts";
import { RaftDriver } from "./driver.ts";
import { LevelLog } from "./level-log.ts";
import type { RecoveredLog } from "./raft-log.ts";

let group: TestGroup;

beforeEach(() => {
  group = new TestGroup();
});

afterEach(async () => {
  for (const { fatal } of group.members) expect(fatal).toEqual([]);
  await group.close();
});

const bytes = (text: string): Uint8Array => Buffer.from(text);

async function stored(id: number): Promise<RecoveredLog> {
  const log = await LevelLog.open(group.folderOf(id), { onFatal: () => {} });
  await log.close();
  return log.recovered;
}

describe("what was applied", () => {
  it("is stored after an idle time, and only the rest is applied at the next start", async () => {
    await group.startAll([1]);
    const { driver } = await group.leader();
    for (let nth = 0; nth < 20; nth++) await driver.propose(bytes(`p${nth}`));
    const { lastIndex } = driver.status();
    await new Promise((resolve) => setTimeout(resolve, 150));
    await group.stop(1);
    expect((await stored(1)).applied).toMatchObject({ index: lastIndex, confState: { voters: [1] } });
    const replayed: number[] = [];
    const lines: string[] = [];
    class Watched extends AppliedList {
      override apply(entry: Parameters<AppliedList["apply"]>[0]): string {
        replayed.push(entry.index);
        return super.apply(entry);
      }
    }
    const again = await RaftDriver.start({
      id: 1,
      meshId: "mesh",
      folder: group.folderOf(1),
      transport: group.network.join(1),
      machine: new Watched(lines),
      bootstrap: null,
      onFatal: (error) => {
        throw error;
      },
      timing: FAST_TIMING,
    });
    expect(lines).toHaveLength(20);
    expect(replayed).toEqual([]);
    await vi.waitFor(() => expect(again.leadsWithAppliedNoop()).toBe(true));
    await again.propose(bytes("after"));
    expect(lines.at(-1)).toBe(`${lastIndex + 2}:after`);
    await again.stop();
  });

  it("costs no write of its own while others are made", async () => {
    let writes = 0;
    await group.start(1, [1], {
      openLog: async (folder, options) => {
        const log = await LevelLog.open(folder, options);
        const append = log.append.bind(log);
        log.append = (batch) => {
          writes++;
          return append(batch);
        };
        return log;
      },
    });
    const { driver } = await group.leader();
    const before = writes;
    for (let nth = 0; nth < 100; nth++) await driver.propose(bytes(`p${nth}`));
    // Each is proposed when the one before is applied, so each has a write; an idle flush may slip between some.
    expect(writes - before).toBeLessThan(125);
  });
});

describe("compaction", () => {
  it("bounds the log under load, and a restart has everything", async () => {
    await group.startAll([1, 2, 3], { compaction: KEEP_LITTLE });
    for (let round = 0; round < 30; round++) {
      const { driver } = await group.leader();
      await Promise.all(Array.from({ length: 20 }, (_, nth) => driver.propose(bytes(`${round}/${nth}`))));
    }
    await group.converge();
    const expected = group.member(1).applied;
    expect(expected).toHaveLength(600);
    for (const { id, applied } of group.members) {
      expect(applied).toEqual(expected);
      await group.stop(id);
      const { start, entries, applied: point } = await stored(id);
      expect(start.index).toBeGreaterThan(500);
      expect(start.index).toBeLessThanOrEqual(point.index - KEEP_LITTLE.entriesKeptMin);
      expect(entries.length).toBeLessThan(100);
    }
    for (const id of [1, 2, 3]) await group.start(id, null, { compaction: KEEP_LITTLE });
    const again = await group.leader();
    await again.driver.propose(bytes("after"));
    await group.converge();
    for (const { applied } of group.members) {
      expect(applied.slice(0, 600)).toEqual(expected);
      expect(applied.at(-1)).toContain(":after");
    }
  });

  it("forgets nothing that is not stored as applied, and large entries sooner", async () => {
    const compaction = { ...KEEP_LITTLE, entriesKeptMin: 1000, entriesKeptBytesMax: 10_000 };
    await group.startAll([1], { compaction });
    const { driver } = await group.leader();
    for (let nth = 0; nth < 50; nth++) await driver.propose(new Uint8Array(1000));
    await group.stop(1);
    const { start, entries, applied } = await stored(1);
    expect(start.index).toBeLessThanOrEqual(applied.index);
    expect(entries.length).toBeLessThan(20);
    expect(entries.length).toBeGreaterThan(5);
    const again = await group.start(1, null, { compaction });
    await group.leader();
    expect(again.applied).toHaveLength(50);
  });
});
