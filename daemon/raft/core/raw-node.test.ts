import { describe, expect, it } from "vitest";
import { LOCAL_APPEND_THREAD, MemoryStorage, RawNode, message } from "./core.ts";
import type { Config, Entry, Message } from "./core.ts";
import { Bench } from "./single-node.fixture.ts";

const entry = (term: number, index: number): Entry => ({
  term,
  index,
  type: "EntryNormal",
  data: new Uint8Array(0),
});
const types = (messages: readonly Message[]): readonly string[] =>
  messages.map(({ type, to }) => `${type} to ${to}`);

describe("the configuration", () => {
  const valid: Config = {
    id: 1,
    electionTick: 10,
    heartbeatTick: 1,
    storage: new MemoryStorage(),
    randomizedElectionTicks: (ticks) => ticks,
    maxSizePerMsg: 100,
    maxInflightMsgs: 1,
  };

  it.each([
    [{ id: 0 }, "id must be"],
    [{ id: 1.5 }, "id must be"],
    [{ heartbeatTick: 0 }, "heartbeat tick"],
    [{ electionTick: 1 }, "election tick must be greater than heartbeat tick"],
    [{ maxInflightMsgs: 0 }, "max inflight messages"],
    [{ maxInflightBytes: 99 }, "max inflight bytes must be >= max message size"],
    [{ maxUncommittedEntriesSize: 0 }, "max uncommitted entries size"],
    [{ maxCommittedSizePerReady: 0 }, "max committed size per ready"],
    [{ callerReadsUnderLease: true }, "checkQuorum"],
  ])("is refused with %j", (change, text) => {
    expect(() => new RawNode({ ...valid, ...change })).toThrow(text);
  });

  it("is refused when the stored state says that the log was lost", () => {
    expect(() => new Bench({ hardState: { commit: 5 } })).toThrow("state.commit 5 is out of range [1, 1]");
  });
});

describe("a restart", () => {
  it("takes what is applied for committed, though the stored commit index is older", () => {
    const bench = new Bench({ terms: [1, 1, 1], hardState: { commit: 1 }, config: { applied: 2 } });
    expect(bench.raw.status()).toMatchObject({ commit: 2, applied: 2 });
    expect(() => new Bench({ config: { applied: 2 } })).toThrow(
      "Was the raft log corrupted, truncated, or lost?",
    );
  });

  it("hands out again what was committed and not applied", () => {
    const bench = new Bench({ terms: [1, 1, 1], hardState: { commit: 3 }, config: { applied: 2 } });
    bench.work();
    expect(bench.committed.map(({ index }) => index)).toEqual([3]);
  });
});

describe("messages that a node does not take", () => {
  it.each(["MsgHup", "MsgBeat", "MsgCheckQuorum", "MsgStorageAppendResp", "MsgUnreachable"] as const)(
    "%s from a peer",
    (type) => {
      expect(() => new Bench({}).receive({ type, from: 2 })).toThrow("cannot step raft local message");
    },
  );

  it.each(["MsgAppResp", "MsgVoteResp", "MsgHeartbeatResp"] as const)(
    "%s from a node that is no member",
    (type) => {
      expect(() => new Bench({}).receive({ type, from: 9 })).toThrow("cannot step as peer not found");
    },
  );

  it("a proposal when there is no leader, or none to forward it to", () => {
    expect(() => new Bench({}).propose("x")).toThrow(expect.objectContaining({ code: "proposal-dropped" }));
    const bench = new Bench({ config: { disableProposalForwarding: true } });
    bench.receive({ type: "MsgHeartbeat", from: 2 });
    expect(() => bench.propose("x")).toThrow(expect.objectContaining({ code: "proposal-dropped" }));
  });
});

describe("the contract of ready and advance", () => {
  it("is two Readys never without an advance between them", () => {
    const bench = new Bench({ voters: [1] });
    bench.raw.campaign();
    bench.raw.ready();
    expect(() => bench.raw.ready()).toThrow("two accepted Ready structs without call to Advance");
  });

  it("is no advance with asynchronous storage writes", () => {
    const bench = new Bench({ config: { asyncStorageWrites: true } });
    expect(() => bench.raw.advance()).toThrow("Advance must not be called");
  });

  it("asks for a sync when the term, the vote or the log changes, not when the commit index does", () => {
    const bench = new Bench({});
    bench.receive({ type: "MsgApp", from: 2, term: 2, logTerm: 1, index: 1, entries: [entry(2, 2)] });
    expect(bench.readys.map(({ mustSync }) => mustSync)).toEqual([true]);
    bench.receive({ type: "MsgHeartbeat", from: 2, commit: 2 });
    expect(bench.readys.map(({ mustSync }) => mustSync)).toEqual([
      true,
      false,
      ...bench.readys.slice(2).map(() => false),
    ]);
    expect(bench.readys[1]).toMatchObject({ hardState: { commit: 2 }, committedEntries: [{ index: 2 }] });
  });

  it("hands nothing out twice", () => {
    const bench = new Bench({});
    bench.elect(2);
    expect(bench.raw.hasReady()).toBe(false);
    expect(bench.work()).toEqual([]);
  });
});

describe("asynchronous storage writes", () => {
  const startWriting = (): { bench: Bench; writes: Message[]; collect: () => void } => {
    const bench = new Bench({ config: { asyncStorageWrites: true } });
    const writes: Message[] = [];
    const collect = (): void => {
      while (bench.raw.hasReady()) writes.push(...bench.raw.ready().messages.filter(({ to }) => to < 0));
    };
    return { bench, writes, collect };
  };
  const append = (term: number, ...entries: readonly Entry[]): Message => {
    const previous = entries[0]!.index - 1;
    return message({ type: "MsgApp", to: 1, from: 2, term, logTerm: 1, index: previous, entries, commit: 2 });
  };

  it("apply only what is durable here, though it is committed", () => {
    const { bench, writes, collect } = startWriting();
    bench.raw.step(append(1, entry(1, 2)));
    collect();
    expect(bench.raw.status().commit).toBe(2);
    expect(writes.map(({ type }) => type)).toEqual(["MsgStorageAppend"]);
    bench.storage.append(writes[0]!.entries);
    for (const m of writes[0]!.responses) if (m.to === 1) bench.raw.step(m);
    collect();
    expect(writes.at(-1)).toMatchObject({ type: "MsgStorageApply", entries: [{ index: 2 }] });
  });

  it("take no acknowledgement of a former term, for the entry may have been replaced and replaced back", () => {
    const { bench, writes, collect } = startWriting();
    bench.raw.step(message({ ...append(1, entry(1, 2)), commit: 1 }));
    collect();
    const acknowledgement = writes[0]!.responses.find(({ from }) => from === LOCAL_APPEND_THREAD)!;
    expect(acknowledgement).toMatchObject({ type: "MsgStorageAppendResp", term: 1, index: 2, logTerm: 1 });
    // Term 2 replaces entry 2, term 3 brings the old one back; the write of term 2 may still come after the first.
    bench.raw.step(message({ ...append(2, entry(2, 2)), commit: 1 }));
    bench.raw.step(message({ ...append(3, entry(1, 2)), commit: 2 }));
    collect();
    bench.raw.step(acknowledgement);
    collect();
    expect(writes.some(({ type }) => type === "MsgStorageApply")).toBe(false);
    const last = writes.at(-1)!;
    expect(last).toMatchObject({ type: "MsgStorageAppend", entries: [{ term: 1, index: 2 }] });
    bench.storage.append(last.entries);
    for (const m of last.responses) if (m.to === 1) bench.raw.step(m);
    collect();
    expect(writes.at(-1)).toMatchObject({ type: "MsgStorageApply", entries: [{ term: 1, index: 2 }] });
  });
});

describe("leader transfer", () => {
  it("waits until the follower has the whole log, and drops proposals meanwhile", () => {
    const bench = new Bench({});
    bench.elect(2);
    bench.raw.transferLeader(3);
    expect(types(bench.work()).filter((each) => each.startsWith("MsgTimeoutNow"))).toEqual([]);
    expect(() => bench.propose("x")).toThrow("raft proposal dropped");
    const sent = bench.receive({ type: "MsgAppResp", from: 3, index: 2 });
    expect(types(sent)).toContain("MsgTimeoutNow to 3");
  });

  it("is given up after an election timeout", () => {
    const bench = new Bench({});
    bench.elect(2);
    bench.raw.transferLeader(3);
    bench.tick(10);
    expect(bench.raw.status().leadTransferee).toBe(0);
    expect(() => bench.propose("x")).not.toThrow();
  });

  it("is not made to a learner, or to a stranger", () => {
    const bench = new Bench({ learners: [4] });
    bench.elect(2);
    bench.raw.transferLeader(4);
    bench.raw.transferLeader(9);
    expect(bench.raw.status().leadTransferee).toBe(0);
  });

  it("is forwarded by a follower", () => {
    const bench = new Bench({});
    bench.receive({ type: "MsgHeartbeat", from: 2 });
    bench.raw.transferLeader(3);
    expect(bench.work()).toMatchObject([{ type: "MsgTransferLeader", to: 2, from: 3 }]);
  });

  it("lets the follower campaign past pre-vote, and voters grant within the lease of their leader", () => {
    const config = { preVote: true, checkQuorum: true };
    const target = new Bench({ id: 3, config });
    const [request] = target.receive({ type: "MsgTimeoutNow", from: 2 }).filter(({ to }) => to === 1);
    expect(request).toMatchObject({ type: "MsgVote", term: 2 });
    const voter = new Bench({ id: 1, config });
    voter.receive({ type: "MsgHeartbeat", from: 2 });
    expect(voter.receive({ ...request!, context: new Uint8Array(0) })).toEqual([]);
    expect(voter.receive(request!)).toMatchObject([{ type: "MsgVoteResp", reject: false }]);
  });
});

describe("forgetting the leader", () => {
  const config = { preVote: true, checkQuorum: true };
  const preVote = { type: "MsgPreVote", from: 3, term: 2, logTerm: 1, index: 1 } as const;

  it("lets a follower grant a pre-vote within the lease", () => {
    const bench = new Bench({ config });
    bench.receive({ type: "MsgHeartbeat", from: 2 });
    expect(bench.receive(preVote)).toEqual([]);
    bench.raw.forgetLeader();
    expect(bench.receive(preVote)).toMatchObject([{ type: "MsgPreVoteResp", reject: false, term: 2 }]);
  });

  it("is undone by the next word of the leader", () => {
    const bench = new Bench({ config });
    bench.receive({ type: "MsgHeartbeat", from: 2 });
    bench.raw.forgetLeader();
    bench.receive({ type: "MsgHeartbeat", from: 2 });
    expect(bench.receive(preVote)).toEqual([]);
  });
});

describe("learners", () => {
  it("never campaign, and vote when they are asked", () => {
    const bench = new Bench({ id: 4, learners: [4] });
    expect(bench.tick(100)).toEqual([]);
    bench.raw.campaign();
    expect(bench.work()).toEqual([]);
    const [answer] = bench.receive({ type: "MsgVote", from: 2, term: 2, logTerm: 1, index: 1 });
    expect(answer).toMatchObject({ type: "MsgVoteResp", reject: false });
  });

  it("get the log, and do not count for a commit", () => {
    const bench = new Bench({ voters: [1, 2], learners: [4] });
    bench.elect(2);
    bench.receive({ type: "MsgAppResp", from: 4, index: 2 });
    expect(bench.raw.status().commit).toBe(1);
    bench.receive({ type: "MsgAppResp", from: 2, index: 2 });
    expect(bench.raw.status().commit).toBe(2);
  });
});
