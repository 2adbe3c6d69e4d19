import { beforeEach, describe, expect, it } from "vitest";
import { EMPTY_BYTES, EMPTY_CONF_STATE, message } from "./core/core.ts";
import type { Message } from "./core/core.ts";
import type { LogSnapshot } from "./raft-log.ts";
import { SnapshotHolds } from "./snapshot-holds.ts";
import { SnapshotSender } from "./snapshot-sender.ts";

const RETRY = { waitMsMin: 100, waitMsMax: 700 };
const point = { index: 50, term: 3, confState: EMPTY_CONF_STATE };

/** Timers that run when they are told to, and streams that end when they are told to. */
class Scene {
  readonly timers: { readonly delayMs: number; readonly action: () => void; cancelled: boolean }[] = [];
  readonly streams: { readonly message: Message; end: (fault?: Error) => void }[] = [];
  readonly outcomes: string[] = [];
  readonly holds = new SnapshotHolds({ matchOf: () => 0, applied: () => 60 });
  randomNext = 0;
  opened = 0;
  readonly sender = new SnapshotSender({
    log: { openSnapshot: () => this.#open() },
    chunkBytesMax: 1000,
    retry: RETRY,
    environment: {
      random: () => this.randomNext,
      after: (delayMs, action) => {
        const timer = { delayMs, action, cancelled: false };
        this.timers.push(timer);
        return () => void (timer.cancelled = true);
      },
    },
    holds: this.holds,
    transfer: ({ message: sent }) =>
      new Promise((resolve, reject) => {
        this.streams.push({ message: sent, end: (fault) => (fault ? reject(fault) : resolve()) });
      }),
    onSent: (member, taken) => void this.outcomes.push(`${member} ${taken ? "taken" : "failed"}`),
    report: () => {},
  });

  /** Asks for a snapshot as the core does; resolves when all that follows at once has happened. */
  async ask(to: number, term = 3): Promise<void> {
    const snapshot = { data: EMPTY_BYTES, metadata: { ...point, index: 40 } };
    this.sender.send(message({ type: "MsgSnap", to, from: 1, term, snapshot }));
    await settled();
  }

  async end(fault?: Error): Promise<void> {
    this.streams.at(-1)?.end(fault);
    await settled();
  }

  async fail(): Promise<void> {
    await this.end(new Error("the stream broke"));
  }

  /** The wait that began last is over. */
  async wake(): Promise<void> {
    this.timers.at(-1)?.action();
    await settled();
  }

  get waitsMs(): readonly number[] {
    return this.timers.map(({ delayMs }) => delayMs);
  }

  #open(): Promise<LogSnapshot> {
    this.opened += 1;
    return Promise.resolve({
      point,
      totals: { count: 0, sum: 0 },
      chunks: async function* () {},
      close: () => Promise.resolve(),
    });
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("SnapshotSender", () => {
  let scene: Scene;

  beforeEach(() => {
    scene = new Scene();
  });

  it("streams at once what the core asks for first, and tells how it fared", async () => {
    await scene.ask(2);
    expect(scene.streams.map(({ message: { to, snapshot } }) => [to, snapshot?.metadata.index])).toEqual([
      [2, 50],
    ]);
    await scene.end();
    expect(scene.outcomes).toEqual(["2 taken"]);
    expect(scene.timers).toEqual([]);
  });

  it("tells a failure at once, and waits twice as long after each, up to the maximum", async () => {
    await scene.ask(2);
    for (let failures = 1; failures <= 6; failures++) {
      await scene.fail();
      expect(scene.outcomes).toHaveLength(failures);
      await scene.ask(2);
      expect(scene.streams).toHaveLength(failures);
      await scene.wake();
      expect(scene.streams).toHaveLength(failures + 1);
    }
    expect(scene.waitsMs).toEqual([100, 200, 400, 700, 700, 700]);
  });

  it("waits half of it at least, at random", async () => {
    await scene.ask(2);
    await scene.fail();
    scene.randomNext = 1 - Number.EPSILON;
    await scene.ask(2);
    expect(scene.waitsMs[0]).toBeCloseTo(50);
  });

  it("begins anew after a success, and counts each member's failures by themselves", async () => {
    await scene.ask(2);
    await scene.fail();
    await scene.ask(2);
    await scene.wake();
    await scene.fail();
    await scene.ask(3);
    expect(scene.streams).toHaveLength(3);
    await scene.ask(2);
    await scene.wake();
    await scene.end();
    await scene.ask(2);
    expect(scene.streams).toHaveLength(5);
    await scene.fail();
    await scene.ask(2);
    expect(scene.waitsMs).toEqual([100, 200, 100]);
  });

  it("sends what the core asked for last while it waited, once", async () => {
    await scene.ask(2, 3);
    await scene.fail();
    await scene.ask(2, 3);
    await scene.ask(2, 5);
    expect(scene.timers).toHaveLength(1);
    await scene.wake();
    expect(scene.streams.map(({ message: { term } }) => term)).toEqual([3, 5]);
  });

  it("begins no second stream beside one that is under way", async () => {
    await scene.ask(2);
    await scene.ask(2);
    expect(scene.opened).toBe(1);
    await scene.end();
    expect(scene.outcomes).toEqual(["2 taken"]);
  });

  it("holds the log behind a snapshot while it streams, and on for who has taken it", async () => {
    await scene.ask(2);
    expect(scene.holds.heldFrom()).toBe(50);
    await scene.fail();
    expect(scene.holds.heldFrom()).toBeNull();
    await scene.ask(2);
    await scene.wake();
    await scene.end();
    expect(scene.holds.heldFrom()).toBe(50);
  });

  it("begins nothing once it has stopped", async () => {
    await scene.ask(2);
    await scene.fail();
    await scene.ask(2);
    await scene.sender.stop();
    expect(scene.timers.every(({ cancelled }) => cancelled)).toBe(true);
    await scene.ask(3);
    expect(scene.streams).toHaveLength(1);
  });
});
