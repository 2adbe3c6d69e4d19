import { describe, expect, it } from "vitest";
import { Bench } from "./single-node.fixture.ts";
import type { Message } from "./core.ts";

/* Each test names the section of "In Search of an Understandable Consensus Algorithm" (extended version). */

const entry = (term: number, index: number): Message["entries"][number] => {
  return { term, index, type: "EntryNormal", data: new Uint8Array(0) };
};
const shape = ({ type, to, term }: Message): string => `${type} to ${to} at ${term}`;

describe("5.1 terms", () => {
  it.each(["follower", "candidate", "leader"])(
    "a %s that sees a higher term takes it and follows",
    (role) => {
      const bench = new Bench({});
      if (role === "candidate") bench.raw.campaign();
      if (role === "leader") bench.elect(2);
      bench.receive({ type: "MsgApp", from: 2, term: 9, logTerm: 1, index: 1 });
      expect(bench.raw.status()).toMatchObject({ raftState: "StateFollower", term: 9, lead: 2 });
    },
  );

  it("a node rejects what carries a lower term", () => {
    const bench = new Bench({ hardState: { term: 5 } });
    bench.receive({ type: "MsgApp", from: 2, term: 4, logTerm: 1, index: 1, entries: [entry(4, 2)] });
    expect(bench.logTerms()).toEqual([]);
    expect(bench.raw.status()).toMatchObject({ term: 5, lead: 0 });
  });
});

describe("5.2 leader election", () => {
  it("a node starts as a follower", () => {
    expect(new Bench({}).raw.status().raftState).toBe("StateFollower");
  });

  it("a leader sends heartbeats each heartbeat interval", () => {
    const bench = new Bench({});
    bench.elect(2);
    const beats = bench.tick(1);
    expect(beats.map(shape)).toEqual(["MsgHeartbeat to 2 at 2", "MsgHeartbeat to 3 at 2"]);
  });

  it("a follower that hears of no leader votes for itself at the next term and asks all others", () => {
    const bench = new Bench({});
    expect(bench.tick(9)).toEqual([]);
    expect(bench.tick(1).map(shape)).toEqual(["MsgVote to 2 at 2", "MsgVote to 3 at 2"]);
    expect(bench.raw.status()).toMatchObject({ raftState: "StateCandidate", term: 2, vote: 1 });
  });

  it("a candidate that hears of no result starts a new election", () => {
    const bench = new Bench({});
    bench.tick(10);
    expect(bench.tick(10).map(shape)).toEqual(["MsgVote to 2 at 3", "MsgVote to 3 at 3"]);
  });

  it("a heartbeat puts the election off", () => {
    const bench = new Bench({});
    bench.tick(9);
    bench.receive({ type: "MsgHeartbeat", from: 2 });
    expect(bench.tick(9)).toEqual([]);
    expect(bench.raw.status().raftState).toBe("StateFollower");
  });

  it.each([
    [1, [], [], "StateLeader"],
    [3, [2], [], "StateLeader"],
    [3, [], [], "StateCandidate"],
    [3, [], [2, 3], "StateFollower"],
    [5, [2, 3], [], "StateLeader"],
    [5, [2], [3, 4], "StateCandidate"],
    [5, [2], [3, 4, 5], "StateFollower"],
  ] as const)(
    "of %d voters, granted by %j and refused by %j, a candidate becomes %s",
    (size, granted, refused, state) => {
      const bench = new Bench({ voters: Array.from({ length: size }, (_, nth) => nth + 1) });
      bench.raw.campaign();
      bench.work();
      bench.receive(...granted.map((from) => ({ type: "MsgVoteResp" as const, from })));
      bench.receive(...refused.map((from) => ({ type: "MsgVoteResp" as const, from, reject: true })));
      expect(bench.raw.status()).toMatchObject({ raftState: state, term: 2 });
    },
  );

  it("a node votes for one candidate a term, first come first served, and again for the same", () => {
    const bench = new Bench({});
    const ask = (from: number): Message | undefined => {
      return bench.receive({ type: "MsgVote", from, term: 2, logTerm: 9, index: 9 })[0];
    };
    expect(ask(2)).toMatchObject({ type: "MsgVoteResp", to: 2, reject: false });
    expect(ask(3)).toMatchObject({ type: "MsgVoteResp", to: 3, reject: true });
    expect(ask(2)).toMatchObject({ type: "MsgVoteResp", to: 2, reject: false });
  });

  it("a vote survives a restart", () => {
    const bench = new Bench({ hardState: { term: 2, vote: 2 } });
    expect(bench.receive({ type: "MsgVote", from: 3, term: 2, logTerm: 9, index: 9 })[0]?.reject).toBe(true);
  });

  it("a candidate that hears of a leader of its term follows it", () => {
    const bench = new Bench({});
    bench.tick(10);
    bench.receive({ type: "MsgApp", from: 3, logTerm: 1, index: 1 });
    expect(bench.raw.status()).toMatchObject({ raftState: "StateFollower", term: 2, lead: 3 });
  });

  it("election timeouts are drawn anew for each election", () => {
    const drawn: number[] = [];
    const bench = new Bench({
      config: {
        randomizedElectionTicks: (ticks) => {
          drawn.push(ticks);
          return ticks + drawn.length;
        },
      },
    });
    expect(bench.tick(11)).not.toEqual([]);
    expect(bench.tick(11)).toEqual([]);
    expect(bench.tick(1)).not.toEqual([]);
    expect(drawn).toEqual([10, 10, 10]);
  });
});

describe("5.3 log replication", () => {
  it("a leader appends a proposal to its log and sends it to all", () => {
    const bench = new Bench({});
    bench.elect(2);
    bench.receive(...[2, 3].map((from) => ({ type: "MsgAppResp" as const, from, index: 2 })));
    const sent = bench.propose("x");
    expect(bench.logTerms()).toEqual([2, 2]);
    expect(
      sent.map(({ type, to, index, logTerm, entries }) => [type, to, index, logTerm, entries.length]),
    ).toEqual([
      ["MsgApp", 2, 2, 2, 1],
      ["MsgApp", 3, 2, 2, 1],
    ]);
  });

  it.each([
    [1, [], 3],
    [3, [], 1],
    [3, [2], 3],
    [5, [2], 1],
    [5, [2, 3], 3],
  ] as const)("of %d voters, acknowledged by %j, it commits to %d", (size, acks, commit) => {
    const bench = new Bench({ voters: Array.from({ length: size }, (_, nth) => nth + 1) });
    bench.elect(...[2, 3].filter((id) => id <= size));
    bench.propose("x");
    bench.receive(...acks.map((from) => ({ type: "MsgAppResp" as const, from, index: 3 })));
    expect(bench.raw.status().commit).toBe(commit);
  });

  it("committing an entry commits all entries before it, and applies them in order", () => {
    const bench = new Bench({ terms: [1, 1, 2] });
    bench.elect(2);
    bench.receive({ type: "MsgAppResp", from: 2, index: 4 });
    expect(bench.committed.map(({ term, index }) => [term, index])).toEqual([
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
  });

  it("a follower applies what the leader has committed, in order", () => {
    const bench = new Bench({});
    bench.receive({
      type: "MsgApp",
      from: 2,
      logTerm: 1,
      index: 1,
      entries: [entry(1, 2), entry(1, 3)],
      commit: 2,
    });
    expect(bench.committed.map(({ index }) => index)).toEqual([2]);
    bench.receive({ type: "MsgHeartbeat", from: 2, commit: 3 });
    expect(bench.committed.map(({ index }) => index)).toEqual([2, 3]);
  });

  it.each([
    // previous term and index -> accepted
    [1, 1, true],
    [2, 3, true],
    [1, 3, false],
    [2, 9, false],
  ])("a follower with terms 1, 1, 2 checks a previous entry %d/%d: %s", (logTerm, index, accepted) => {
    const bench = new Bench({ terms: [1, 1, 2] });
    const [answer] = bench.receive({ type: "MsgApp", from: 2, logTerm, index });
    expect(answer).toMatchObject({ type: "MsgAppResp", reject: !accepted });
  });

  it.each([
    // figure 7: logs of possible followers when a leader with terms 1 1 1 4 4 5 5 6 6 6 opens term 8
    ["a", [1, 1, 1, 4, 4, 5, 5, 6, 6]],
    ["b", [1, 1, 1, 4]],
    ["c", [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
    ["d", [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
    ["e", [1, 1, 1, 4, 4, 4, 4]],
    ["f", [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
  ])("a leader brings follower %s of figure 7 to its own log", (_, terms) => {
    const leader = new Bench({ id: 1, terms: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6], hardState: { term: 7 } });
    const follower = new Bench({ id: 2, terms, hardState: { term: 7 } });
    let toFollower = leader.elect(3);
    for (let rounds = 0; toFollower.length > 0; rounds += 1) {
      expect(rounds).toBeLessThan(10);
      const answers = toFollower.filter(({ to }) => to === 2).flatMap((m) => follower.receive(m));
      toFollower = answers.flatMap((m) => leader.receive(m));
    }
    expect(follower.logTerms()).toEqual([1, 1, 4, 4, 5, 5, 6, 6, 6, 8]);
    expect(leader.logTerms()).toEqual(follower.logTerms());
  });
});

describe("5.4 safety", () => {
  it.each([
    // log of the voter, last entry of the candidate -> granted
    [[1], 1, 1, true],
    [[1], 2, 1, true],
    [[1, 1], 2, 1, true],
    [[1, 1], 1, 1, false],
    [[1, 2], 1, 9, false],
    [[1, 2, 2], 2, 2, false],
  ])(
    "5.4.1: a voter with terms %j judges a candidate whose last entry is %d/%d: %s",
    (terms, logTerm, index, granted) => {
      const bench = new Bench({ terms });
      const [answer] = bench.receive({ type: "MsgVote", from: 2, term: 9, logTerm, index });
      expect(answer).toMatchObject({ type: "MsgVoteResp", reject: !granted });
    },
  );

  it("5.4.2: entries of former terms are not committed by counting, only with one of the own term", () => {
    // Figure 8: entry 2 of term 2 is on a majority, and could still be overwritten.
    const bench = new Bench({ terms: [1, 2], hardState: { term: 3 } });
    bench.elect(2);
    bench.receive({ type: "MsgAppResp", from: 2, index: 2 });
    expect(bench.raw.status()).toMatchObject({ term: 4, commit: 1 });
    bench.receive({ type: "MsgAppResp", from: 2, index: 3 });
    expect(bench.raw.status().commit).toBe(3);
  });
});
