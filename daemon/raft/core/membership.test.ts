import { describe, expect, it } from "vitest";
import { parseConfChanges } from "./conf-change/parse.ts";
import { decodeConfChange, message } from "./core.ts";
import type { ConfChangeTransition, ConfState, Entry, Message } from "./core.ts";
import { Bench } from "./single-node.fixture.ts";

function propose(
  bench: Bench,
  changes: string,
  transition: ConfChangeTransition = "ConfChangeTransitionAuto",
): void {
  const context = new Uint8Array(0);
  bench.raw.proposeConfChange({ kind: "v2", transition, changes: parseConfChanges(changes), context });
}

/** Works like `Bench.work`, and puts committed configuration changes into force. */
function workAndApply(bench: Bench): {
  readonly sent: readonly Message[];
  readonly states: readonly ConfState[];
} {
  const sent: Message[] = [];
  const states: ConfState[] = [];
  while (bench.raw.hasReady()) {
    const { entries, committedEntries, messages } = bench.raw.ready();
    bench.storage.append(entries);
    for (const entry of committedEntries) {
      const change = decodeConfChange(entry);
      if (change !== null) states.push(bench.raw.applyConfChange(change));
    }
    sent.push(...messages);
    bench.raw.advance();
  }
  return { sent, states };
}

function leaderOf(voters: readonly number[], config = {}): Bench {
  const bench = new Bench({ voters, config });
  bench.elect(...voters.filter((id) => id !== 1));
  for (const from of voters) if (from !== 1) bench.receive({ type: "MsgAppResp", from, index: 2 });
  return bench;
}

const logOf = (bench: Bench): readonly Entry[] => {
  const { storage } = bench;
  const entries = storage.entries(storage.firstIndex(), storage.lastIndex() + 1, Infinity);
  return typeof entries === "string" ? [] : entries;
};

describe("membership changes", () => {
  it("take force when they are applied, not when they are in the log", () => {
    const bench = leaderOf([1]);
    propose(bench, "v2");
    expect(bench.raw.status().config.voters.incoming.size).toBe(1);
    expect(workAndApply(bench).states).toMatchObject([{ voters: [1, 2], votersOutgoing: [] }]);
  });

  it("come one at a time: another one becomes an empty entry until the first is applied", () => {
    const bench = leaderOf([1, 2]);
    propose(bench, "v3");
    propose(bench, "v4");
    workAndApply(bench);
    expect(logOf(bench).map(({ type }) => type)).toEqual(["EntryNormal", "EntryConfChangeV2", "EntryNormal"]);
    bench.raw.step({ ...ack(2, 4), term: bench.raw.status().term });
    workAndApply(bench);
    propose(bench, "v4");
    workAndApply(bench);
    expect(logOf(bench).at(-1)?.type).toBe("EntryConfChangeV2");
  });

  it("that were dropped are in nobody's way", () => {
    const bench = leaderOf([1], { maxUncommittedEntriesSize: 10 });
    bench.raw.propose(new Uint8Array(10));
    expect(() => propose(bench, "v2")).toThrow("raft proposal dropped");
    workAndApply(bench);
    propose(bench, "v2");
    workAndApply(bench);
    expect(logOf(bench).at(-1)?.type).toBe("EntryConfChangeV2");
  });

  it("wait on a new leader until all entries of former leaders are applied, among which one may be", () => {
    const bench = new Bench({ voters: [1, 2], terms: [1, 1, 1] });
    bench.elect(2);
    propose(bench, "v3");
    workAndApply(bench);
    expect(logOf(bench).at(-1)?.type).toBe("EntryNormal");
    bench.receive({ type: "MsgAppResp", from: 2, index: 4 });
    propose(bench, "v3");
    workAndApply(bench);
    expect(logOf(bench).at(-1)?.type).toBe("EntryConfChangeV2");
  });

  it("enter and leave a joint membership by themselves when more than one node changes", () => {
    const bench = leaderOf([1]);
    propose(bench, "l2 l3");
    const { states } = workAndApply(bench);
    expect(states).toMatchObject([
      { voters: [1], votersOutgoing: [1], learners: [2, 3], autoLeave: true },
      { voters: [1], votersOutgoing: [], learners: [2, 3], autoLeave: false },
    ]);
  });

  it("stay in a joint membership that was asked for explicitly, until it is left explicitly", () => {
    const bench = leaderOf([1]);
    propose(bench, "l2", "ConfChangeTransitionJointExplicit");
    expect(workAndApply(bench).states).toMatchObject([{ votersOutgoing: [1], autoLeave: false }]);
    propose(bench, "l3");
    expect(workAndApply(bench).states).toEqual([]);
    propose(bench, "");
    expect(workAndApply(bench).states).toMatchObject([{ votersOutgoing: [], learners: [2] }]);
  });

  it("leave a joint membership that a former leader entered and did not leave", () => {
    const bench = new Bench({ voters: [1, 2] });
    bench.elect(2);
    bench.receive({ type: "MsgAppResp", from: 2, index: 2 });
    propose(bench, "l3 l4");
    workAndApply(bench);
    bench.raw.step({ ...ack(2, 3), term: bench.raw.status().term });
    bench.raw.ready();
    // Node 1 applies the change as a follower of the next term, and is elected afterwards.
    bench.raw.step({ ...ack(2, 3), type: "MsgHeartbeat", term: 9 });
    bench.raw.applyConfChange({
      kind: "v2",
      transition: "ConfChangeTransitionAuto",
      changes: parseConfChanges("l3 l4"),
      context: new Uint8Array(0),
    });
    bench.raw.advance();
    workAndApply(bench);
    expect(bench.raw.status()).toMatchObject({ raftState: "StateFollower", config: { autoLeave: true } });
    bench.raw.campaign();
    workAndApply(bench);
    bench.raw.step({ ...ack(2, 0), type: "MsgVoteResp", term: 10 });
    workAndApply(bench);
    bench.raw.step({ ...ack(2, 4), term: 10 });
    workAndApply(bench);
    bench.raw.step({ ...ack(2, 5), term: 10 });
    expect(workAndApply(bench).states).toMatchObject([{ votersOutgoing: [], learners: [3, 4] }]);
  });

  it("probe new members at once", () => {
    const bench = leaderOf([1]);
    propose(bench, "v2");
    expect(workAndApply(bench).sent).toMatchObject([{ type: "MsgApp", to: 2 }]);
  });

  it("let a removed leader stay without proposals, or step down, as configured", () => {
    for (const stepDownOnRemoval of [false, true]) {
      const bench = leaderOf([1, 2], { stepDownOnRemoval });
      propose(bench, "r1");
      workAndApply(bench);
      bench.raw.step({ ...ack(2, 3), term: bench.raw.status().term });
      workAndApply(bench);
      expect(bench.raw.status().raftState).toBe(stepDownOnRemoval ? "StateFollower" : "StateLeader");
      expect(() => bench.propose("x")).toThrow("raft proposal dropped");
    }
  });

  it("commit what a smaller quorum has", () => {
    const bench = leaderOf([1, 2]);
    propose(bench, "r2");
    workAndApply(bench);
    bench.raw.propose(new Uint8Array([1]));
    workAndApply(bench);
    bench.raw.step({ ...ack(2, 3), term: bench.raw.status().term });
    workAndApply(bench);
    expect(bench.raw.status().commit).toBe(4);
  });

  it("keep a node from campaigning until the committed ones are applied", () => {
    const bench = new Bench({ voters: [1, 2] });
    const change = { term: 1, index: 2, type: "EntryConfChangeV2", data: new Uint8Array(0) } as const;
    bench.raw.step({ ...ack(2, 1), type: "MsgApp", term: 1, logTerm: 1, entries: [change], commit: 2 });
    bench.raw.campaign();
    expect(bench.raw.status().raftState).toBe("StateFollower");
  });
});

function ack(from: number, index: number): Message {
  return message({ type: "MsgAppResp", to: 1, from, index });
}
