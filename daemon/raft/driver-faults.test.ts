import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FAST_TIMING, KEEP_LITTLE, proposeSurely, TestGroup } from "./driver.fixture.ts";
import { LevelLog } from "./level-log.ts";
import type { LogIdentity } from "./log-identity.ts";
import type { LogBatch, LogSnapshot, RaftLog, RecoveredLog, StagedRecords } from "./raft-log.ts";

/** A real log on a disk that can be made to hang. */
class HangingLog implements RaftLog {
  readonly recovered: RecoveredLog;
  readonly identity: LogIdentity;
  readonly #log: LevelLog;
  #release: (() => void) | null = null;
  #hanging: Promise<void> = Promise.resolve();
  waiting = 0;

  constructor(log: LevelLog) {
    this.#log = log;
    this.recovered = log.recovered;
    this.identity = log.identity;
  }

  get syncedBatch(): number {
    return this.#log.syncedBatch;
  }

  get lastIndex(): number {
    return this.#log.lastIndex;
  }

  hang(): void {
    this.#hanging = new Promise((resolve) => (this.#release = resolve));
  }

  release(): void {
    this.#release?.();
  }

  async append(batch: LogBatch): Promise<void> {
    this.waiting++;
    await this.#hanging;
    this.waiting--;
    await this.#log.append(batch);
  }

  stage(): StagedRecords {
    return this.#log.stage();
  }

  openSnapshot(): Promise<LogSnapshot> {
    return this.#log.openSnapshot();
  }

  async close(): Promise<void> {
    this.release();
    await this.#log.close();
  }
}

let group: TestGroup;

beforeEach(() => {
  group = new TestGroup();
});

afterEach(() => group.close());

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe("a disk that hangs", () => {
  it("takes the lead from its member, and loses nothing", async () => {
    const logs = new Map<number, HangingLog>();
    for (const id of [1, 2, 3]) {
      await group.start(id, [1, 2, 3], {
        openLog: async (folder, options) => {
          const log = new HangingLog(await LevelLog.open(folder, options));
          logs.set(id, log);
          return log;
        },
      });
    }
    await proposeSurely(group, "before");
    const old = await group.leader();
    const others = [1, 2, 3].filter((id) => id !== old.id);
    logs.get(old.id)!.hang();
    // It hears of everything and its own writes go nowhere, while proposals keep it busy.
    const lost = old.driver.propose(bytes("lost or kept")).catch((error: unknown) => error);
    const next = await group.leader(others);
    expect(next.driver.status().term).toBeGreaterThan(old.driver.status().term - 1);
    await next.driver.propose(bytes("while it hangs"));
    await expect(old.driver.propose(bytes("refused"))).rejects.toMatchObject({ name: "DriverError" });
    logs.get(old.id)!.release();
    await lost;
    await proposeSurely(group, "after");
    await group.converge();
    const [first, ...rest] = group.members;
    for (const { applied } of rest) expect(applied).toEqual(first!.applied);
    expect(first!.applied.join()).toMatch(/before.*while it hangs.*after/);
  });

  it("acknowledges nothing that is not synced", async () => {
    let log: HangingLog | null = null;
    const founder = await group.start(1, [1], {
      openLog: async (folder, options) => (log = new HangingLog(await LevelLog.open(folder, options))),
    });
    await group.leader();
    log!.hang();
    let acknowledged = false;
    const proposal = founder.driver.propose(bytes("a")).then(() => (acknowledged = true));
    await vi.waitFor(() => expect(log!.waiting).toBe(1));
    const refusals: unknown[] = [];
    await vi.waitFor(() => {
      founder.driver.propose(bytes("b")).catch((error: unknown) => refusals.push(error));
      expect(refusals[0]).toMatchObject({ code: "dropped" });
    });
    expect(acknowledged).toBe(false);
    expect(founder.applied).toEqual([]);
    log!.release();
    await proposal;
    expect(founder.applied[0]).toBe("3:a");
  });
});

it("a snapshot that a disk kept from being sent is sent when it answers again", async () => {
  let log: HangingLog | null = null;
  const founder = await group.start(1, [1], {
    openLog: async (folder, options) => (log = new HangingLog(await LevelLog.open(folder, options))),
    compaction: KEEP_LITTLE,
  });
  await group.leader();
  for (let nth = 0; nth < 60; nth++) await founder.driver.propose(bytes(`p${nth}`));
  // What tells the leader that the learner has nothing comes while its disk hangs.
  let lateMs = 600;
  let held = 0;
  group.network.setRule(({ type, from }) => {
    if (type !== "MsgAppResp" || from !== 2) return { delayMs: 0 };
    held++;
    return { delayMs: lateMs };
  });
  await group.start(2);
  await founder.driver.proposeConfChange({
    transition: "ConfChangeTransitionAuto",
    changes: [{ type: "ConfChangeAddLearnerNode", nodeId: 2 }],
  });
  await vi.waitFor(() => expect(held).toBeGreaterThan(0), 5_000);
  log!.hang();
  const last = founder.driver.propose(bytes("last"));
  // By then the late answers have come, and the disk is known to hang.
  await new Promise((resolve) => setTimeout(resolve, 2 * lateMs));
  lateMs = 0;
  log!.release();
  await last;
  await group.converge();
});

describe("a disk that fails", () => {
  it("ends the member; what was in flight is unknown", async () => {
    let log: LevelLog | null = null;
    const founder = await group.start(1, [1], {
      openLog: async (folder, options) => (log = await LevelLog.open(folder, options)),
    });
    await group.leader();
    // Every write fails from now on, as after an EIO.
    await log!.close();
    await expect(founder.driver.propose(bytes("a"))).rejects.toMatchObject({ code: "unknown-outcome" });
    expect(founder.fatal).toHaveLength(1);
    expect(founder.fatal[0]).toMatchObject({ code: "storage" });
    expect(founder.applied).toEqual([]);
    await expect(founder.driver.propose(bytes("b"))).rejects.toMatchObject({ code: "dropped" });
  });
});

describe("a process that stalls", () => {
  it("takes no stall for the silence of its leader", async () => {
    await group.startAll([1, 2, 3]);
    await proposeSurely(group, "a");
    const { id } = await group.leader();
    await group.converge();
    const before = group.member(id).driver.status();
    const campaigns: string[] = [];
    group.network.setRule((message) => {
      if (message.type === "MsgPreVote") campaigns.push(`${message.from} at ${message.term}`);
      return { delayMs: 0 };
    });
    // Longer than every election timeout: all timers are late, and none of the messages has been read.
    for (let stall = 0; stall < 5; stall++) {
      const until = performance.now() + 30 * FAST_TIMING.tickMs;
      while (performance.now() < until);
      await new Promise((resolve) => setTimeout(resolve, 3 * FAST_TIMING.tickMs));
    }
    expect(campaigns).toEqual([]);
    expect(group.member(id).driver.status()).toMatchObject({ role: "leader", term: before.term });
  });
});
