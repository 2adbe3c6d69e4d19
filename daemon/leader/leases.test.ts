import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { nodeId } from "../../scheduler/model/ids.ts";
import type { Session } from "../../scheduler/model/ids.ts";
import type { MemoryStore } from "../store/memory-store.ts";
import { StoreError } from "../store/store.ts";
import { NOW, register, storeOfMesh } from "./leader.fixture.ts";
import { Leases } from "./leases.ts";
import { EXPIRY_MS, LEASE_MS } from "./timing.ts";

const n1 = nodeId("n1");
const n2 = nodeId("n2");
/** Expiry is found at a tick, and takes a confirmed round and a command: never later than this after it is due. */
const SLACK_MS = 1_000;

let store: MemoryStore;
let leases: Leases;
let lines: string[];

function lead(): void {
  leases = new Leases({ store, now: () => NOW, log: (line) => lines.push(line) });
  leases.start();
}

function sessionOf(node = n1): Session {
  const record = store.view().nodes.get(node);
  if (record === undefined) throw new Error(`no node ${node}`);
  return record.session;
}

function stateOf(node = n1): string | undefined {
  return store.view().nodes.get(node)?.state.kind;
}

/** Holds back what the store is asked for until it is told to answer. */
function heldBarriers(): { readonly answer: () => void; readonly asked: () => number } {
  const waiting: (() => void)[] = [];
  vi.spyOn(store, "readBarrier").mockImplementation(() => new Promise((resolve) => waiting.push(resolve)));
  return { answer: () => waiting.shift()?.(), asked: () => waiting.length };
}

beforeEach(async () => {
  store = await storeOfMesh("n1", "n2");
  lines = [];
  await register(store, "n1");
  await register(store, "n2");
  vi.useFakeTimers();
});

afterEach(() => {
  leases.stop();
  vi.useRealTimers();
});

describe("a session", () => {
  it("that is never renewed is expired EXPIRY_MS after the election", async () => {
    lead();
    await vi.advanceTimersByTimeAsync(EXPIRY_MS);
    expect(stateOf()).toBe("ready");
    await vi.advanceTimersByTimeAsync(SLACK_MS);
    expect(stateOf()).toBe("lost");
    expect(store.view().nodes.get(n1)?.state).toMatchObject({ reason: expect.stringContaining("8.6 s") });
    expect(stateOf(n2)).toBe("lost");
  });

  it("of a node that has not registered is not judged", async () => {
    vi.useRealTimers();
    store = await storeOfMesh("n1");
    vi.useFakeTimers();
    lead();
    await vi.advanceTimersByTimeAsync(EXPIRY_MS + SLACK_MS);
    expect(stateOf()).toBe("joining");
  });

  it("is never expired before EXPIRY_MS have passed since its newest renewal, and soon after", async () => {
    vi.useRealTimers();
    const gaps = fc.array(fc.integer({ min: 0, max: Math.floor(EXPIRY_MS) }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(gaps, async (waits) => {
        store = await storeOfMesh("n1");
        await register(store, "n1");
        vi.useFakeTimers();
        lead();
        for (const wait of waits) {
          await vi.advanceTimersByTimeAsync(wait);
          leases.renewed(n1, sessionOf(), () => {});
        }
        await vi.advanceTimersByTimeAsync(EXPIRY_MS - 1);
        const before = stateOf();
        await vi.advanceTimersByTimeAsync(SLACK_MS);
        const after = stateOf();
        leases.stop();
        vi.useRealTimers();
        expect([before, after]).toEqual(["ready", "lost"]);
      }),
      { numRuns: 25 },
    );
  });

  it("does not age while the leader is stalled", async () => {
    lead();
    await vi.advanceTimersByTimeAsync(1_000);
    // The clock moves on and no timer fires: the process was stopped. Then one tick comes, late.
    const now = performance.now.bind(performance);
    const clock = vi.spyOn(performance, "now").mockImplementation(() => now() + 60_000);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(stateOf()).toBe("ready");
    await vi.advanceTimersByTimeAsync(EXPIRY_MS);
    expect(stateOf()).toBe("lost");
    clock.mockRestore();
  });

  it("is not aged by ticks that come faster than the clock goes", async () => {
    lead();
    const started = performance.now();
    const clock = vi.spyOn(performance, "now").mockImplementation(() => started);
    await vi.advanceTimersByTimeAsync(10 * EXPIRY_MS);
    expect(stateOf()).toBe("ready");
    clock.mockRestore();
  });

  it("is not saved by renewals of an older session of its node", async () => {
    lead();
    const old = sessionOf();
    await Promise.all([register(store, "n1", { bootId: "boot-2" }), vi.advanceTimersByTimeAsync(10)]);
    for (let waited = 0; waited < EXPIRY_MS + SLACK_MS; waited += 1_000) {
      leases.renewed(n1, old, () => {});
      leases.renewed(n2, sessionOf(n2), () => {});
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(sessionOf()).not.toBe(old);
    expect(stateOf()).toBe("lost");
    expect(stateOf(n2)).toBe("ready");
  });
});

describe("an expiry", () => {
  it("is not proposed by a leader that lost the lead while it was confirmed, though it leads again", async () => {
    lead();
    const barriers = heldBarriers();
    await vi.advanceTimersByTimeAsync(EXPIRY_MS + SLACK_MS);
    expect(barriers.asked()).toBe(2);
    // Another daemon leads for a while and accepts the node's renewals; then this one leads again, in a new term.
    store.setLeader(2);
    leases.stop();
    store.setLeader(1);
    barriers.answer();
    barriers.answer();
    await vi.advanceTimersByTimeAsync(100);
    expect(stateOf()).toBe("ready");
  });

  it("is not proposed without a confirmed round, and is tried again", async () => {
    lead();
    const barrier = vi
      .spyOn(store, "readBarrier")
      .mockRejectedValue(new StoreError("unavailable", "no quorum"));
    await vi.advanceTimersByTimeAsync(EXPIRY_MS + SLACK_MS);
    expect(barrier).toHaveBeenCalled();
    expect(stateOf()).toBe("ready");
    barrier.mockRestore();
    await vi.advanceTimersByTimeAsync(SLACK_MS);
    expect(stateOf()).toBe("lost");
  });

  it("makes its leader deaf to the session's renewals from before it is confirmed", async () => {
    lead();
    const barriers = heldBarriers();
    await vi.advanceTimersByTimeAsync(EXPIRY_MS + SLACK_MS);
    const acknowledge = vi.fn<() => void>();
    leases.renewed(n1, sessionOf(), acknowledge);
    while (barriers.asked() > 0) barriers.answer();
    await vi.advanceTimersByTimeAsync(100);
    expect(acknowledge).not.toHaveBeenCalled();
    expect(stateOf()).toBe("lost");
  });

  it("that may yet be committed keeps its leader deaf; one that was not does not", async () => {
    lead();
    const session = sessionOf();
    const propose = vi.spyOn(store, "propose");
    propose.mockRejectedValue(new StoreError("unknown-outcome", "no answer"));
    await vi.advanceTimersByTimeAsync(EXPIRY_MS + SLACK_MS);
    const acknowledge = vi.fn<() => void>();
    leases.renewed(n1, session, acknowledge);
    await vi.advanceTimersByTimeAsync(100);
    expect(acknowledge).not.toHaveBeenCalled();

    leases.stop();
    propose.mockRejectedValue(new StoreError("unavailable", "nothing was done"));
    lead();
    await vi.advanceTimersByTimeAsync(EXPIRY_MS + SLACK_MS);
    leases.renewed(n1, session, acknowledge);
    await vi.advanceTimersByTimeAsync(100);
    expect(acknowledge).toHaveBeenCalledOnce();
    propose.mockRestore();
  });
});

describe("a renewal", () => {
  it("is acknowledged only after a round that began after it arrived", async () => {
    lead();
    const barriers = heldBarriers();
    const order: string[] = [];
    leases.renewed(n1, sessionOf(), () => order.push("first"));
    leases.renewed(n2, sessionOf(n2), () => order.push("second"));
    await vi.advanceTimersByTimeAsync(10);
    // The round that is under way began before the second renewal came, so it confirms the first alone.
    expect(barriers.asked()).toBe(1);
    barriers.answer();
    await vi.advanceTimersByTimeAsync(10);
    expect(order).toEqual(["first"]);
    expect(barriers.asked()).toBe(1);
    barriers.answer();
    await vi.advanceTimersByTimeAsync(10);
    expect(order).toEqual(["first", "second"]);
  });

  it("is not acknowledged when the round fails; the next one is", async () => {
    lead();
    const barrier = vi
      .spyOn(store, "readBarrier")
      .mockRejectedValueOnce(new StoreError("unavailable", "none"));
    const [first, second] = [vi.fn<() => void>(), vi.fn<() => void>()];
    leases.renewed(n1, sessionOf(), first);
    await vi.advanceTimersByTimeAsync(10);
    leases.renewed(n1, sessionOf(), second);
    await vi.advanceTimersByTimeAsync(10);
    expect(first).not.toHaveBeenCalled();
    expect(second).toHaveBeenCalledOnce();
    barrier.mockRestore();
  });

  it("is not acknowledged once the leadership ended, though the round is confirmed", async () => {
    lead();
    const barriers = heldBarriers();
    const acknowledge = vi.fn<() => void>();
    leases.renewed(n1, sessionOf(), acknowledge);
    leases.stop();
    barriers.answer();
    leases.renewed(n1, sessionOf(), acknowledge);
    await vi.advanceTimersByTimeAsync(100);
    expect(acknowledge).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});

it("leaves time for the shim between the end of a lease and its expiry", () => {
  expect(EXPIRY_MS).toBeGreaterThanOrEqual(LEASE_MS * 1.02 + 500 + 2_000);
});
