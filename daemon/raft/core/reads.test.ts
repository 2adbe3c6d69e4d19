import { describe, expect, it } from "vitest";
import type { Message, ReadState } from "./core.ts";
import { Bench } from "./single-node.fixture.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const readStates = (bench: Bench): readonly ReadState[] => bench.readys.flatMap((ready) => ready.readStates);

/** Asks and returns the heartbeat to node 2 that asks on. */
function ask(bench: Bench, context: string): Message | undefined {
  bench.raw.readIndex(text(context));
  return bench.work().find(({ type, to }) => type === "MsgHeartbeat" && to === 2);
}

function answer(bench: Bench, from: number, heartbeat: Message): readonly Message[] {
  return bench.receive({ type: "MsgHeartbeatResp", from, context: heartbeat.context });
}

function leader(): Bench {
  const bench = new Bench({});
  bench.elect(2);
  bench.receive({ type: "MsgAppResp", from: 2, index: 2 });
  return bench;
}

describe("reads on a leader", () => {
  it("are confirmed by a quorum, at the commit index of the request", () => {
    const bench = leader();
    const heartbeat = ask(bench, "a")!;
    bench.propose("x");
    bench.receive({ type: "MsgAppResp", from: 2, index: 3 });
    expect(readStates(bench)).toEqual([]);
    answer(bench, 3, heartbeat);
    expect(readStates(bench)).toEqual([{ index: 2, requestCtx: text("a") }]);
  });

  it("wait until an entry of the leader's own term is committed", () => {
    const bench = new Bench({});
    bench.elect(2);
    expect(ask(bench, "a")).toBeUndefined();
    const sent = bench.receive({ type: "MsgAppResp", from: 2, index: 2 });
    answer(
      bench,
      2,
      sent.find(({ type }) => type === "MsgHeartbeat")!,
    );
    expect(readStates(bench)).toEqual([{ index: 2, requestCtx: text("a") }]);
  });

  it("wait for that on a leader without followers as well, and are then answered at once", () => {
    const bench = new Bench({ voters: [1] });
    bench.raw.campaign();
    bench.raw.ready();
    bench.raw.advance();
    bench.raw.readIndex(text("a"));
    expect(readStates(bench)).toEqual([]);
    bench.work();
    expect(readStates(bench)).toEqual([{ index: 2, requestCtx: text("a") }]);
    ask(bench, "b");
    expect(readStates(bench)).toHaveLength(2);
  });

  it("are not confirmed by answers to an older round with the same context (etcd-io/raft issue 397)", () => {
    const bench = leader();
    const first = ask(bench, "a")!;
    answer(bench, 2, first);
    expect(readStates(bench)).toHaveLength(1);
    const second = ask(bench, "a")!;
    answer(bench, 3, first);
    expect(readStates(bench)).toHaveLength(1);
    answer(bench, 3, second);
    expect(readStates(bench)).toHaveLength(2);
  });

  it("are asked about again with each heartbeat, for messages can be lost", () => {
    const bench = leader();
    ask(bench, "a");
    const [again] = bench.tick(1);
    answer(bench, 2, again!);
    expect(readStates(bench)).toHaveLength(1);
  });

  it("are void when the leader steps down", () => {
    const bench = leader();
    const heartbeat = ask(bench, "a")!;
    bench.receive({ type: "MsgHeartbeat", from: 3, term: 9 });
    expect(bench.receive({ type: "MsgHeartbeatResp", from: 2, term: 2, context: heartbeat.context })).toEqual(
      [],
    );
    expect(readStates(bench)).toEqual([]);
  });

  it("are not confirmed by a learner", () => {
    const bench = new Bench({ learners: [4] });
    bench.elect(2);
    bench.receive({ type: "MsgAppResp", from: 2, index: 2 });
    const heartbeat = ask(bench, "a")!;
    answer(bench, 4, heartbeat);
    expect(readStates(bench)).toEqual([]);
  });
});

describe("reads on a follower", () => {
  it("go to the leader, which answers the follower that asked", () => {
    const bench = leader();
    const entries = [{ term: 0, index: 0, type: "EntryNormal", data: text("a") } as const];
    const sent = bench.receive({ type: "MsgReadIndex", from: 3, term: 0, entries });
    const answers = answer(
      bench,
      2,
      sent.find(({ type }) => type === "MsgHeartbeat")!,
    );
    expect(answers).toMatchObject([{ type: "MsgReadIndexResp", to: 3, index: 2, entries }]);
    expect(readStates(bench)).toEqual([]);

    const follower = new Bench({ id: 3 });
    follower.receive({ type: "MsgHeartbeat", from: 1, term: 2 });
    follower.raw.readIndex(text("a"));
    expect(follower.work()).toMatchObject([{ type: "MsgReadIndex", to: 1, from: 3, entries }]);
    follower.receive(answers[0]!);
    expect(readStates(follower)).toEqual([{ index: 2, requestCtx: text("a") }]);
  });

  it("are dropped without a leader", () => {
    const bench = new Bench({});
    bench.raw.readIndex(text("a"));
    expect(bench.work()).toEqual([]);
  });
});
