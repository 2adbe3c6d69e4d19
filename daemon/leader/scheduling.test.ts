import { afterEach, describe, expect, it, vi } from "vitest";
import type { JobId } from "../../scheduler/model/ids.ts";
import { jobId } from "../../scheduler/model/ids.ts";
import { activeAttempt } from "../../scheduler/model/job.ts";
import type { Command, PartReport } from "../../scheduler/model/command.ts";
import type { MemoryStore } from "../store/memory-store.ts";
import { StoreError } from "../store/store.ts";
import { NOW, propose, register, storeOfMesh, submit, until } from "./leader.fixture.ts";
import { startScheduling } from "./scheduling.ts";

let stop: () => void = () => {};
const lines: string[] = [];

afterEach(() => {
  stop();
  lines.length = 0;
  vi.useRealTimers();
});

function schedule(store: MemoryStore): void {
  stop = startScheduling({
    store,
    now: () => NOW,
    token: () => "a-secret-of-the-attempt",
    log: (line) => lines.push(line),
  });
}

async function mesh(...names: readonly string[]): Promise<MemoryStore> {
  const store = await storeOfMesh(...names);
  for (const name of names) await register(store, name);
  return store;
}

function stateOf(store: MemoryStore, job: JobId): string | undefined {
  return store.view().jobs.get(job)?.state.kind;
}

async function report(store: MemoryStore, id: JobId, kind: "prepared" | "stopped"): Promise<void> {
  const job = store.view().jobs.get(id);
  const attempt = job === undefined ? null : activeAttempt(job);
  if (attempt === null) throw new Error(`job ${id} has no attempt`);
  const { number, fence } = attempt;
  const said: PartReport = kind === "prepared" ? { kind } : { kind, exits: [] };
  for (const { node } of attempt.parts)
    await propose(store, {
      kind: "reportPart",
      at: NOW,
      job: id,
      attempt: number,
      fence,
      node,
      report: said,
    });
}

/** Turns of the event loop, for what must not happen. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe("scheduling", () => {
  it("takes a gang from queued to running, as its nodes report", async () => {
    const store = await mesh("n1", "n2");
    schedule(store);
    const job = await submit(store, { nodeCount: 2 });
    await until(() => stateOf(store, job) === "starting");
    await report(store, job, "prepared");
    await until(() => stateOf(store, job) === "running");
    const attempt = activeAttempt(store.view().jobs.get(job)!);
    expect(attempt?.launch.token).toBe("a-secret-of-the-attempt");
    expect(lines).toEqual([]);
  });

  it("plans what was there before it began, and what a release makes room for", async () => {
    const store = await mesh("n1");
    const first = await submit(store, { shape: { kind: "wholeNode", gpusAtLeast: 0 } });
    const second = await submit(store, { shape: { kind: "wholeNode", gpusAtLeast: 0 } });
    schedule(store);
    await until(() => stateOf(store, first) === "starting");
    await turns(5);
    expect(stateOf(store, second)).toBe("queued");
    await propose(store, { kind: "cancelJob", at: NOW, requestId: "cancel-1", job: first, by: "alice" });
    await report(store, first, "stopped");
    await until(() => stateOf(store, second) === "starting");
  });

  it("rests when there is nothing to do", async () => {
    const store = await mesh("n1");
    await submit(store, { nodeCount: 5 });
    const proposed = vi.spyOn(store, "propose");
    schedule(store);
    await turns(20);
    expect(proposed).not.toHaveBeenCalled();
  });

  it("tries again by itself after a proposal that failed, without spinning", async () => {
    const store = await mesh("n1");
    const job = await submit(store);
    vi.useFakeTimers();
    const proposed = vi.spyOn(store, "propose");
    proposed.mockRejectedValue(new StoreError("unavailable", "try again later"));
    schedule(store);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(proposed.mock.calls.length).toBeGreaterThan(2);
    expect(proposed.mock.calls.length).toBeLessThan(30);
    proposed.mockRestore();
    // Nothing changed meanwhile that would wake it.
    await vi.advanceTimersByTimeAsync(1_000);
    expect(stateOf(store, job)).toBe("starting");
  });

  it("does not spin on a command that is refused again and again", async () => {
    const store = await mesh("n1");
    await submit(store);
    vi.useFakeTimers();
    const original = store.propose.bind(store);
    const proposed = vi.spyOn(store, "propose").mockImplementation(async (command: Command) => {
      // The index moves on, as with every command that is committed and refused.
      await original({ kind: "cancelJob", at: NOW, requestId: "cancel-1", job: jobId(99), by: "nobody" });
      return { kind: "refused", code: "impossible", reason: `no ${command.kind} today` };
    });
    schedule(store);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(proposed.mock.calls.length).toBeLessThan(60);
    expect(lines[0]).toContain("placeGang was refused: no placeGang today");
  });

  it("proposes nothing once stopped, and leaves no timer and no watcher", async () => {
    const store = await mesh("n1");
    vi.useFakeTimers();
    const proposed = vi.spyOn(store, "propose").mockRejectedValue(new StoreError("unavailable", "none"));
    await vi.advanceTimersByTimeAsync(10);
    schedule(store);
    proposed.mockRestore();
    stop();
    const job = await vi.waitFor(() => submit(store));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(stateOf(store, job)).toBe("queued");
    expect(vi.getTimerCount()).toBe(0);
  });
});
