import { describe, expect, it } from "vitest";
import { Network } from "./network.fixture.ts";

/** Three nodes of which node 1 leads, at rest. */
function ledByOne(): Network {
  const network = new Network(3);
  network.member(1).raw.campaign();
  network.settle();
  expect(network.leader()?.status().id).toBe(1);
  return network;
}

const commandsOf = (network: Network): (readonly string[])[] => {
  return [...network.members.values()].map((member) => member.commands());
};

describe("three nodes with asynchronous storage writes", () => {
  it("elect one leader by themselves and stay with it", () => {
    const network = new Network(3);
    network.pass(20);
    const leader = network.leader();
    expect(leader).toBeDefined();
    const { id, term } = leader!.status();
    network.pass(100);
    for (const member of network.members.values()) expect(member.status()).toMatchObject({ lead: id, term });
  });

  it("apply the same commands in the same order", () => {
    const network = ledByOne();
    for (const text of ["a", "b", "c"]) network.member(1).propose(text);
    network.settle();
    expect(commandsOf(network)).toEqual([
      ["a", "b", "c"],
      ["a", "b", "c"],
      ["a", "b", "c"],
    ]);
  });

  it("forward a proposal of a follower", () => {
    const network = ledByOne();
    network.member(3).propose("a");
    network.settle();
    expect(network.member(2).commands()).toEqual(["a"]);
  });

  it("count a vote only when it is durable", () => {
    const network = new Network(3, { preVote: false });
    network.member(1).raw.campaign();
    network.collect(1);
    network.persist(1);
    for (const id of [2, 3]) {
      network.deliver();
      network.collect(id);
    }
    expect(network.inFlight).toEqual([]);
    expect(network.member(1).status().raftState).toBe("StateCandidate");
    network.persist(2);
    network.deliver();
    expect(network.member(1).status().raftState).toBe("StateLeader");
  });

  it("elect nobody whose own vote is not durable: it could be elected for the same term again after a crash", () => {
    const network = new Network(3, { preVote: false });
    network.member(1).raw.campaign();
    network.collect(1);
    for (const id of [2, 3]) {
      network.deliver();
      network.collect(id);
      network.persist(id);
    }
    network.deliver();
    network.deliver();
    expect(network.member(1).status().raftState).toBe("StateCandidate");
    network.persist(1);
    expect(network.member(1).status().raftState).toBe("StateLeader");
  });

  it("lead on the votes of others alone only when told to", () => {
    const network = new Network(3, { preVote: false, leadsBeforeOwnVoteIsDurable: true });
    network.member(1).raw.campaign();
    network.collect(1);
    for (const id of [2, 3]) {
      network.deliver();
      network.collect(id);
      network.persist(id);
    }
    network.deliver();
    network.deliver();
    expect(network.member(1).status().raftState).toBe("StateLeader");
  });

  it("do not count what the leader has not made durable itself", () => {
    const network = ledByOne();
    network.isolate(3);
    network.member(1).propose("a");
    network.collect(1);
    network.deliver();
    network.collect(2);
    network.persist(2);
    network.deliver();
    const before = network.member(1).status().commit;
    network.persist(1);
    expect(network.member(1).status().commit).toBe(before + 1);
  });

  it("drop the tail of a leader that lost its quorum, and keep what was committed", () => {
    const network = ledByOne();
    network.member(1).propose("kept");
    network.settle();
    network.isolate(1);
    for (const text of ["lost 1", "lost 2"]) network.member(1).propose(text);
    network.settle();
    network.pass(40);
    expect(network.leader()?.status().id).not.toBe(1);
    network.leader()!.propose("new");
    network.settle();
    network.heal();
    network.pass(20);
    expect(commandsOf(network)).toEqual([
      ["kept", "new"],
      ["kept", "new"],
      ["kept", "new"],
    ]);
  });

  it("do not let a node that was cut off disturb the leader when it returns (pre-vote and check-quorum)", () => {
    const network = ledByOne();
    const { term } = network.member(1).status();
    network.isolate(3);
    network.pass(100);
    expect(network.member(3).status()).toMatchObject({ term, raftState: "StatePreCandidate" });
    network.heal();
    network.pass(30);
    expect(network.member(1).status()).toMatchObject({ term, raftState: "StateLeader" });
    expect(network.member(3).status()).toMatchObject({ term, lead: 1 });
  });

  it("depose a leader that hears of nobody, though it is heard (one-way link)", () => {
    const network = ledByOne();
    network.cut(2, 1);
    network.cut(3, 1);
    network.pass(60);
    expect(network.member(1).status().raftState).not.toBe("StateLeader");
    expect(network.leader()?.status().id).not.toBe(1);
    expect(network.leader()).toBeDefined();
  });

  it("keep everything that was applied when all of them crash", () => {
    const network = ledByOne();
    network.member(1).propose("a");
    network.settle();
    for (const id of [1, 2, 3]) network.crash(id);
    network.pass(40);
    expect(commandsOf(network)).toEqual([["a"], ["a"], ["a"]]);
  });

  it("answer a read after a quorum was heard, at an index that includes all that was acknowledged", () => {
    const network = ledByOne();
    network.member(1).propose("a");
    network.settle();
    const { commit } = network.member(1).status();
    for (const id of [1, 3]) {
      network.member(id).raw.readIndex(new Uint8Array([id]));
      network.settle();
      expect(network.member(id).readStates).toEqual([{ index: commit, requestCtx: new Uint8Array([id]) }]);
    }
  });

  it("answer no read of a leader that is cut off, though its successor has long committed more", () => {
    const network = ledByOne();
    network.isolate(1);
    network.member(1).raw.readIndex(new Uint8Array([9]));
    network.settle();
    network.pass(40);
    network.leader()!.propose("a");
    network.settle();
    network.heal();
    network.pass(20);
    expect(network.member(1).readStates).toEqual([]);
  });

  it("hand leadership over, past the lease and without a pre-vote", () => {
    const network = ledByOne();
    network.member(1).raw.transferLeader(3);
    network.settle();
    expect(network.leader()?.status().id).toBe(3);
    expect(network.member(1).status()).toMatchObject({ raftState: "StateFollower", lead: 3 });
  });
});
