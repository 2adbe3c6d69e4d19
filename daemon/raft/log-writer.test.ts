import fc from "fast-check";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LOCAL_APPEND_THREAD, message } from "./core/core.ts";
import type { Entry, HardState, Message } from "./core/core.ts";
import { DEFAULT_COMPACTION } from "./core-config.ts";
import { systemEnvironment } from "./environment.ts";
import { LevelLog } from "./level-log.ts";
import { LogWriter } from "./log-writer.ts";
import { SyncedEntries } from "./synced-entries.ts";

let folder: string;
let log: LevelLog;
let writer: LogWriter;
let stored: SyncedEntries;
/** The term of each response, in the order in which they were given back. */
let responses: number[];
let pause: () => Promise<void>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gpumesh-writer-"));
  pause = () => new Promise((resolve) => setImmediate(resolve));
  await open();
});

afterEach(async () => {
  await writer.stop();
  await log.close();
  await rm(folder, { recursive: true });
});

async function open(): Promise<void> {
  const fail = (error: Error): void => {
    throw error;
  };
  log = await LevelLog.open(folder, { onFatal: fail });
  stored = new SyncedEntries(log.recovered);
  responses = [];
  writer = new LogWriter({
    log,
    storage: stored,
    environment: systemEnvironment,
    compaction: DEFAULT_COMPACTION,
    heldFrom: () => null,
    appliedFlushMs: 50,
    takeApplied: () => null,
    takeInstallation: () => {
      throw new Error("no snapshot is written here");
    },
    onInstalled: () => {},
    onWritten: (given) => responses.push(...given.map(({ term }) => term)),
    onFatal: fail,
  });
}

async function reopen(): Promise<void> {
  await writer.stop();
  await log.close();
  await open();
}

/** A piece of storage work as the core gives it; its response is numbered. */
function append(nth: number, entries: readonly Entry[], hardState: HardState | null): Message {
  const response = message({ type: "MsgAppResp", to: 2, from: 1, term: nth });
  return message({
    type: "MsgStorageAppend",
    to: LOCAL_APPEND_THREAD,
    from: 1,
    ...hardState,
    entries,
    responses: [response],
  });
}

const entry = (index: number, term: number): Entry => ({
  index,
  term,
  type: "EntryNormal",
  data: new Uint8Array(Buffer.from(`${index}/${term}`)),
});

async function drained(count: number): Promise<void> {
  while (responses.length < count) await pause();
}

describe("LogWriter", () => {
  it("writes what one append after the other would have written, whatever is merged", async () => {
    const step = fc.record({ back: fc.nat(3), count: fc.nat(3), commits: fc.boolean(), waits: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        await writer.stop();
        await log.close();
        await rm(folder, { recursive: true });
        await open();
        let model: Entry[] = [];
        let hardState: HardState = { term: 0, vote: 0, commit: 0 };
        for (const [nth, { back, count, commits, waits }] of steps.entries()) {
          const term = nth + 1;
          if (count > 0) model = model.slice(0, Math.max(hardState.commit, model.length - back));
          const entries = Array.from({ length: count }, (_, at) => entry(model.length + at + 1, term));
          model = [...model, ...entries];
          hardState = {
            term,
            vote: 1,
            commit: commits ? Math.max(hardState.commit, model.length - 3) : hardState.commit,
          };
          writer.enqueue(append(nth, entries, hardState));
          writer.pump();
          if (waits) await pause();
        }
        await drained(steps.length);
        expect(responses).toEqual(steps.map((_, nth) => nth));
        expect(stored.entries(1, model.length + 1, Infinity)).toEqual(model);
        await reopen();
        expect(log.recovered.entries).toEqual(model);
        expect(log.recovered.hardState).toEqual(hardState);
      }),
      { numRuns: 40 },
    );
  });

  it("gives back no response before the write that it waits for", async () => {
    writer.enqueue(append(1, [entry(1, 1)], { term: 1, vote: 1, commit: 0 }));
    writer.pump();
    // Needs no write of its own, and must still wait for the one before it.
    writer.enqueue(append(2, [], null));
    writer.pump();
    expect(responses).toEqual([]);
    await drained(2);
    expect(responses).toEqual([1, 2]);
    expect(log.lastIndex).toBe(1);
  });

  it("syncs nothing for a commit index alone, and writes it at the next idle tick", async () => {
    writer.enqueue(append(1, [entry(1, 1)], { term: 1, vote: 1, commit: 0 }));
    writer.pump();
    await drained(1);
    writer.enqueue(append(2, [], { term: 1, vote: 1, commit: 1 }));
    writer.pump();
    expect(responses).toEqual([1, 2]);
    await reopen();
    expect(log.recovered.hardState.commit).toBe(0);
    writer.enqueue(append(3, [], { term: 1, vote: 1, commit: 1 }));
    writer.pump();
    writer.tick();
    await reopen();
    expect(log.recovered.hardState.commit).toBe(1);
  });

  it("writes a vote before it answers", async () => {
    writer.enqueue(append(1, [], { term: 4, vote: 2, commit: 0 }));
    writer.pump();
    expect(responses).toEqual([]);
    await drained(1);
    await reopen();
    expect(log.recovered.hardState).toEqual({ term: 4, vote: 2, commit: 0 });
  });

  it("counts the ticks of a write in flight", async () => {
    writer.enqueue(append(1, [entry(1, 1)], { term: 1, vote: 1, commit: 0 }));
    writer.pump();
    writer.tick();
    writer.tick();
    expect(writer.writingTicks).toBe(2);
    await drained(1);
    expect(writer.writingTicks).toBe(0);
  });
});
