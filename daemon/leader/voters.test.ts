import { afterEach, describe, expect, it, vi } from "vitest";
import type { Members } from "../store/store.ts";
import type { MemoryStore } from "../store/memory-store.ts";
import { TestCluster } from "../../scheduler/state/cluster.fixture.ts";
import { register, storeOfMesh } from "./leader.fixture.ts";
import { nextChange, startVoters } from "./voters.ts";

/** Nodes n1 (the founder, number 1), n2, ... all ready. */
function cluster(nodes: number): TestCluster {
  const made = new TestCluster();
  for (let number = 1; number <= nodes; number += 1) made.register(`n${number}`);
  return made;
}

function members(voters: number[], learners: number[] = [], joint = false): Members {
  return { voters, learners, joint };
}

const all = (): boolean => true;
const none = (): boolean => false;

describe("the next change of the members", () => {
  const cases: readonly {
    readonly what: string;
    readonly nodes: number;
    readonly lost?: readonly string[];
    readonly members: Members;
    readonly caughtUp?: (member: number) => boolean;
    readonly change: string | null;
  }[] = [
    { what: "a mesh of one", nodes: 1, members: members([1]), change: null },
    { what: "a mesh of two", nodes: 2, members: members([1]), change: null },
    { what: "a mesh of three", nodes: 3, members: members([1]), change: "addLearner 2, addLearner 3" },
    { what: "a mesh of five", nodes: 5, members: members([1]), change: "addLearner 2, addLearner 3" },
    { what: "three voters", nodes: 5, members: members([1, 2, 3]), change: null },
    { what: "a change under way", nodes: 3, members: members([1], [2, 3], true), change: null },
    {
      what: "learners that have the log",
      nodes: 3,
      members: members([1], [2, 3]),
      change: "addVoter 2, addVoter 3",
    },
    { what: "learners that lag", nodes: 3, members: members([1], [2, 3]), caughtUp: none, change: null },
    {
      what: "one learner that lags",
      nodes: 3,
      members: members([1], [2, 3]),
      caughtUp: (member) => member === 2,
      change: null,
    },
    {
      what: "one learner of three that lags",
      nodes: 4,
      members: members([1], [2, 3, 4]),
      caughtUp: (member) => member !== 2,
      change: "addVoter 3, addVoter 4",
    },
    {
      what: "a lost node among three",
      nodes: 3,
      lost: ["n3"],
      members: members([1]),
      change: null,
    },
    {
      what: "a lost learner with a node to spare",
      nodes: 4,
      lost: ["n2"],
      members: members([1], [2, 3]),
      change: "addLearner 4",
    },
    {
      what: "a lost learner with none to spare",
      nodes: 3,
      lost: ["n2"],
      members: members([1], [2, 3]),
      change: null,
    },
  ];
  for (const { what, nodes, lost = [], members: now, caughtUp = all, change } of cases) {
    it(`of ${what}: ${change ?? "none"}`, () => {
      const made = cluster(nodes);
      for (const name of lost) made.expire(name);
      const next = nextChange(made.state, now, caughtUp);
      expect(next?.map(({ kind, member }) => `${kind} ${member}`).join(", ") ?? null).toBe(change);
    });
  }
});

describe("the voters", () => {
  let stop: () => void = () => {};

  afterEach(() => {
    stop();
    vi.useRealTimers();
  });

  async function mesh(
    progress: (store: MemoryStore) => Map<number, { match: number }>,
  ): Promise<MemoryStore> {
    const store = await storeOfMesh("n1", "n2", "n3");
    for (const name of ["n1", "n2", "n3"]) await register(store, name);
    vi.spyOn(store, "memberProgress").mockImplementation(() => progress(store));
    vi.useFakeTimers();
    stop = startVoters({ store, log: () => {} });
    return store;
  }

  it("become three once both learners have the log", async () => {
    let answered = false;
    const store = await mesh((it) => {
      const match = answered ? it.lastIndex() : 0;
      return new Map(it.members().learners.map((member) => [member, { match }]));
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
});
