import { afterEach, describe, expect, it, vi } from "vitest";
import { nodeId } from "../../scheduler/model/ids.ts";
import type { MemberProgress } from "../store/store.ts";
import type { MemoryStore } from "../store/memory-store.ts";
import { NOW, propose, register, storeOfMesh } from "./leader.fixture.ts";
import { startVoters } from "./voters.ts";

describe("the voters", () => {
  let stop: () => void = () => {};

  afterEach(() => {
    stop();
    vi.useRealTimers();
  });

  async function mesh(progress: (store: MemoryStore) => Map<number, MemberProgress>): Promise<MemoryStore> {
    const store = await storeOfMesh("n1", "n2", "n3");
    for (const name of ["n1", "n2", "n3"]) await register(store, name);
    vi.spyOn(store, "memberProgress").mockImplementation(() => progress(store));
    vi.useFakeTimers();
    stop = startVoters({ store, now: () => NOW, log: () => {} });
    return store;
  }

  it("become three once both learners have the log", async () => {
    let answered = false;
    const store = await mesh((it) => {
      const match = answered ? it.lastIndex() : 0;
      return new Map(it.members().learners.map((member) => [member, { match, silentMs: 0 }]));
    });
    await vi.advanceTimersByTimeAsync(5_000);
    // A log this short is never far behind: only an answer proves that the learner is there.
    expect(store.lastIndex()).toBeLessThan(64);
    expect(store.members()).toEqual({ voters: [1], learners: [2, 3], joint: false });
    answered = true;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(store.members()).toEqual({ voters: [1, 2, 3], learners: [], joint: false });
  });

  it("are tried again after a change that failed, and no more once stopped", async () => {
    const store = await mesh(() => new Map());
    store.setLeader(null);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(store.members().learners).toEqual([]);
    store.setLeader(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(store.members().learners).toEqual([2, 3]);
    stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("get another leader before the one that is barred leaves them", async () => {
    const store = await storeOfMesh("n1", "n2", "n3", "n4");
    for (const name of ["n1", "n2", "n3", "n4"]) await register(store, name);
    await store.changeMembers([2, 3].map((member) => ({ kind: "addVoter", member })));
    await propose(store, {
      kind: "setVote",
      at: NOW,
      requestId: "bar-n1",
      node: nodeId("n1"),
      vote: "barred",
    });
    const handedOver = vi.spyOn(store, "handOver");
    const changed = vi.spyOn(store, "changeMembers");
    vi.useFakeTimers();
    stop = startVoters({ store, now: () => NOW, log: () => {} });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(store.members().learners).toEqual([4]);
    expect(handedOver.mock.calls).toEqual([[2]]);
    expect(store.leadership()).toMatchObject({ leads: false, leader: 2 });
    // The rest is the next leader's.
    expect(changed.mock.calls).toEqual([[[{ kind: "addLearner", member: 4 }]]]);
  });
});
