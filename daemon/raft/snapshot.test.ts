import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { KEEP_LITTLE, proposeSurely, TestGroup } from "./driver.fixture.ts";
import type { TestMember } from "./driver.fixture.ts";
import type { Entry } from "./core/core.ts";
import { LevelLog } from "./level-log.ts";
import { DEFAULT_LIMITS } from "./raft-limits.ts";
import type { AppliedPoint, LogBatch, RecoveredLog, StateRecord } from "./raft-log.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const compaction = KEEP_LITTLE;

describe("a member that needs what is compacted", () => {
  let group: TestGroup;

  beforeEach(() => {
    group = new TestGroup();
  });

  afterEach(async () => {
    for (const { fatal } of group.members) expect(fatal).toEqual([]);
    await group.close();
  });

  async function propose(count: number, text: string): Promise<void> {
    for (let at = 0; at < count; at += 20) {
      const some = Array.from({ length: Math.min(20, count - at) }, (_, nth) => `${text} ${at + nth}`);
      await Promise.all(some.map((each) => proposeSurely(group, each)));
    }
  }

  async function expectSame(): Promise<void> {
    await group.converge();
    const [first, ...rest] = group.members;
    for (const { applied } of rest) expect(applied).toEqual(first!.applied);
  }

  async function laggard(): Promise<TestMember> {
    const { id } = await group.leader();
    return group.members.find((member) => member.id !== id)!;
  }

  it("gets a snapshot after a partition, and goes on from it through a restart", async () => {
    await group.startAll([1, 2, 3], { compaction });
    await propose(20, "before");
    const { id } = await laggard();
    const others = [1, 2, 3].filter((member) => member !== id);
    await group.converge();
    group.network.partition(others, [id]);
    await propose(200, "missed");
    const transfers: string[] = [];
    group.network.heal();
    group.network.setRule((message) => {
      if (message.type === "MsgSnap") transfers.push(`to ${message.to}`);
      return { delayMs: 0 };
    });
    await propose(20, "after");
    await expectSame();
    expect(transfers).toContain(`to ${id}`);
    expect(group.member(id).applied).toHaveLength(240);
    await group.stop(id);
    const again = await group.start(id, null, { compaction });
    await proposeSurely(group, "end");
    await expectSame();
    expect(again.applied).toHaveLength(241);
  });

  it("gets one that is newer than its own membership as a new learner", async () => {
    await group.startAll([1], { compaction });
    await propose(200, "before");
    await group.start(2, null, { compaction });
    const { driver } = await group.leader();
    // Right after the change, whose application is not stored yet.
    await driver.proposeConfChange({
      transition: "ConfChangeTransitionAuto",
      changes: [{ type: "ConfChangeAddLearnerNode", nodeId: 2 }],
    });
    await propose(20, "after");
    await expectSame();
    expect(group.member(2).driver.status()).toMatchObject({ voters: [1], learners: [2] });
    await driver.proposeConfChange({
      transition: "ConfChangeTransitionAuto",
      changes: [{ type: "ConfChangeAddNode", nodeId: 2 }],
    });
    await proposeSurely(group, "as a voter");
    await expectSame();
  });

  it("gets it at last when streams break again and again, under load", async () => {
    await group.startAll([1, 2, 3], { compaction });
    const { id } = await laggard();
    const others = [1, 2, 3].filter((member) => member !== id);
    group.network.partition(others, [id]);
    await propose(100, "missed");
    group.network.heal();
    let breaks = 6;
    group.network.setRule((message) => {
      const breaking = message.type === "MsgSnap" && breaks > 0 && breaks-- % 2 === 1;
      return breaking ? "drop" : { delayMs: 0 };
    });
    for (let round = 0; round < 20; round++) {
      await propose(20, `round ${round}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await expectSame();
    expect(breaks).toBe(0);
  });

  it("gets it from a new leader when the old one is gone in the middle", async () => {
    await group.startAll([1, 2, 3], { compaction });
    const { id } = await laggard();
    const old = (await group.leader()).id;
    const third = [1, 2, 3].find((member) => member !== id && member !== old)!;
    group.network.partition([old, third], [id]);
    await propose(100, "missed");
    let cut = false;
    group.network.heal();
    group.network.setRule((message) => {
      if (message.type === "MsgSnap" && message.from === old) cut = true;
      return cut && (message.from === old || message.to === old) ? "drop" : { delayMs: 0 };
    });
    await vi.waitFor(() => expect(cut).toBe(true), { timeout: 5000 });
    await group.leader([third]);
    group.network.heal();
    await proposeSurely(group, "after");
    await expectSame();
  });
});

describe("a crash during the installation of a snapshot", () => {
  let folder: string;
  let copies = 0;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "gpumesh-install-"));
  });

  afterEach(() => rm(folder, { recursive: true }));

  const confState = { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
  const point = (index: number): AppliedPoint => ({ index, term: 1, confState });
  const entry = (index: number): Entry => ({
    index,
    term: 1,
    type: "EntryNormal",
    data: Uint8Array.from(bytes(`e${index}`)),
  });
  const nothing: LogBatch = { entries: [], hardState: null, applied: null, compactTo: null, install: null };
  const records = (text: string, count: number): StateRecord[] =>
    Array.from({ length: count }, (_, nth) => ({ key: `key ${nth}`, value: bytes(`${text} ${nth}`) }));

  async function contents(at: string): Promise<{ log: RecoveredLog; found: string[] }> {
    const found: string[] = [];
    const onRecord = (key: string, value: Uint8Array): void => {
      found.push(`${key} = ${Buffer.from(value).toString()}`);
    };
    const log = await LevelLog.open(at, { onFatal: () => {}, onRecord });
    await log.close();
    return { log: log.recovered, found: found.toSorted() };
  }

  /** What a process would find that started on the disk as it is now. */
  async function afterCrash(): Promise<{ log: RecoveredLog; found: string[] }> {
    const copy = join(folder, `copy-${copies++}`);
    await cp(join(folder, "log"), copy, { recursive: true });
    await rm(join(copy, "LOCK"), { force: true });
    return contents(copy);
  }

  const lines = (text: string, count: number): string[] =>
    records(text, count)
      .map(({ key }, nth) => `${key} = ${text} ${nth}`)
      .toSorted();

  it("leaves the old state whole before the last step, and the new state after it", async () => {
    const log = await LevelLog.open(join(folder, "log"), { onFatal: () => {} });
    const entries = [1, 2, 3, 4].map(entry);
    await log.append({ ...nothing, entries, hardState: { term: 1, vote: 1, commit: 3 } });
    const changes = records("old", 20);
    await log.append({ ...nothing, applied: { point: point(3), changes } });
    const isOld = async (): Promise<void> => {
      const { log: found, found: lists } = await afterCrash();
      expect(lists).toEqual(lines("old", 20));
      expect(found.applied).toEqual(point(3));
      expect(found.entries).toEqual(entries);
    };
    const staged = log.stage();
    await isOld();
    const snapshot = records("new", 30);
    for (let at = 0; at < 30; at += 10) {
      await staged.put(snapshot.slice(at, at + 10));
      await isOld();
    }
    // A member votes and appends while it receives.
    entries.push(entry(5));
    await log.append({ ...nothing, entries: [entry(5)], hardState: { term: 1, vote: 1, commit: 3 } });
    await isOld();
    const hardState = { term: 2, vote: 0, commit: 9 };
    const install = { point: point(9), staged };
    await log.append({ ...nothing, hardState, entries: [entry(10)], install });
    for (let step = 0; step < 3; step++) {
      const { log: found, found: lists } = await afterCrash();
      expect(lists).toEqual(lines("new", 30));
      expect(found).toEqual({
        start: { index: 9, term: 1 },
        entries: step === 0 ? [entry(10)] : [entry(10), entry(11)],
        hardState,
        applied: step === 2 ? point(10) : point(9),
      });
      if (step === 0) await log.append({ ...nothing, entries: [entry(11)] });
      if (step === 1) await log.append({ ...nothing, applied: { point: point(10), changes: [] } });
    }
    await log.close();
    const { log: last, found } = await contents(join(folder, "log"));
    expect(found).toEqual(lines("new", 30));
    expect(last.applied).toEqual(point(10));
  });

  it("reads a snapshot as it was when it was opened, whatever is written and installed meanwhile", async () => {
    const log = await LevelLog.open(join(folder, "log"), { onFatal: () => {} });
    await log.append({ ...nothing, entries: [1, 2].map(entry), hardState: { term: 1, vote: 1, commit: 2 } });
    await log.append({ ...nothing, applied: { point: point(1), changes: records("one", 2000) } });
    const snapshot = await log.openSnapshot();
    const read: string[] = [];
    let pages = 0;
    for await (const chunk of snapshot.chunks(DEFAULT_LIMITS.snapshotChunkBytesMax)) {
      for (const { key, value } of chunk) read.push(`${key} = ${Buffer.from(value).toString()}`);
      if (++pages === 1) {
        await log.append({ ...nothing, applied: { point: point(2), changes: records("two", 2000) } });
        const staged = log.stage();
        await staged.put(records("three", 10));
        const install = { point: point(9), staged };
        await log.append({ ...nothing, hardState: { term: 1, vote: 1, commit: 9 }, install });
      }
    }
    await snapshot.close();
    expect(pages).toBeGreaterThan(2);
    expect(snapshot.point).toEqual(point(1));
    expect(snapshot.totals.count).toBe(2000);
    expect(read.toSorted()).toEqual(lines("one", 2000));
    await log.close();
  });

  it("refuses a snapshot that is older than what is committed", async () => {
    const log = await LevelLog.open(join(folder, "log"), { onFatal: () => {} });
    await log.append({ ...nothing, entries: [1, 2].map(entry), hardState: { term: 1, vote: 1, commit: 2 } });
    const install = { point: point(2), staged: log.stage() };
    await expect(log.append({ ...nothing, install })).rejects.toThrow(/after entry 2 was committed/);
    await log.close();
  });
});
