import { beforeEach, describe, expect, it, vi } from "vitest";
import { MemoryStore } from "../store/memory-store.ts";
import { LeaderWait } from "./leader-wait.ts";

const SELF = 2;
let store: MemoryStore;

beforeEach(() => {
  store = new MemoryStore();
});

/** Whether a call is held that comes now; it then has `holdMs`. */
function hold(options: { readonly refused?: MemoryStore; readonly holdMs?: number } = {}): () => boolean {
  let held = true;
  const refused = options.refused?.leadership() ?? null;
  const wait = new LeaderWait(
    () => store,
    () => SELF,
  );
  void wait.settled(refused, performance.now() + (options.holdMs ?? 60_000)).then(() => (held = false));
  return () => held;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("LeaderWait", () => {
  it("holds no call where this daemon leads, another does, or no replica hears of elections", async () => {
    const where = [hold()];
    store.setLeader(3);
    where.push(hold());
    const none = new LeaderWait(
      () => null,
      () => SELF,
    );
    await none.settled(null, performance.now() + 60_000);
    await nextTurn();
    expect(where.map((held) => held())).toEqual([false, false]);
  });

  it("holds calls while there is no leader, and this one while it leads but can not answer yet", async () => {
    store.setLeader(null);
    const held = hold();
    await nextTurn();
    expect(held()).toBe(true);
    store.setLeader(SELF);
    await nextTurn();
    expect(held()).toBe(true);
    store.setLeader(3);
    await nextTurn();
    expect(held()).toBe(false);
  });

  it("holds a call that the leader refused until there is another, or a newer term", async () => {
    store.setLeader(3);
    const refused = hold({ refused: store });
    await nextTurn();
    expect(refused()).toBe(true);
    store.setLeader(3);
    await nextTurn();
    expect(refused()).toBe(false);
  });

  it("holds no call for longer than it may", async () => {
    store.setLeader(null);
    const held = hold({ holdMs: 20 });
    await vi.waitFor(() => expect(held()).toBe(false));
  });
});
