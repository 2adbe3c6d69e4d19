import { describe, expect, it } from "vitest";
import { EMPTY_BYTES } from "./core.ts";
import type { Config, Message } from "./core.ts";
import { Bench } from "./single-node.fixture.ts";

/** A leader of two nodes whose follower has all of its log. */
function leaderWith(config: Partial<Config>): Bench {
  const bench = new Bench({ voters: [1, 2], config });
  bench.elect(2);
  bench.receive({ type: "MsgAppResp", from: 2, index: 2 });
  return bench;
}

const appends = (messages: readonly Message[]): readonly (readonly number[])[] => {
  return messages
    .filter(({ type }) => type === "MsgApp")
    .map(({ entries }) => entries.map(({ index }) => index));
};

describe("flow control", () => {
  it("sends as many messages as the window takes, and goes on when they are acknowledged", () => {
    const bench = leaderWith({ maxInflightMsgs: 2, maxSizePerMsg: 0 });
    const sent = ["a", "b", "c", "d"].flatMap((text) => bench.propose(text));
    expect(appends(sent)).toEqual([[3], [4]]);
    expect(appends(bench.receive({ type: "MsgAppResp", from: 2, index: 3 })).flat()).toEqual([5]);
    expect(appends(bench.receive({ type: "MsgAppResp", from: 2, index: 5 })).flat()).toEqual([6]);
  });

  it("sends as many bytes as the window takes", () => {
    const bench = leaderWith({ maxInflightBytes: 250, maxSizePerMsg: 0 });
    const sent = ["a", "b", "c", "d"].flatMap((text) => bench.propose(text.repeat(100)));
    expect(appends(sent)).toEqual([[3], [4], [5]]);
    expect(appends(bench.receive({ type: "MsgAppResp", from: 2, index: 3 })).flat()).toEqual([6]);
  });

  it("packs entries into messages up to their size", () => {
    const bench = leaderWith({ maxInflightMsgs: 1, maxSizePerMsg: 2 * (16 + 10) });
    for (const text of ["a", "b", "c", "d"]) bench.propose(text.repeat(10));
    expect(appends(bench.receive({ type: "MsgAppResp", from: 2, index: 3 }))).toEqual([[4, 5]]);
  });

  it("sends an empty message to a full window after a heartbeat, to learn whether everything was lost", () => {
    const bench = leaderWith({ maxInflightMsgs: 1 });
    bench.propose("a");
    bench.propose("b");
    const sent = bench.receive({ type: "MsgHeartbeatResp", from: 2 });
    expect(sent).toMatchObject([{ type: "MsgApp", index: 3, entries: [] }]);
    const resent = bench.receive({
      type: "MsgAppResp",
      from: 2,
      index: 3,
      reject: true,
      rejectHint: 2,
      logTerm: 2,
    });
    expect(appends(resent)).toEqual([[3, 4]]);
  });

  it("drops proposals when the uncommitted tail is full, and takes them again when it is applied", () => {
    const bench = leaderWith({ maxUncommittedEntriesSize: 100 });
    bench.propose("x".repeat(60));
    expect(() => bench.propose("x".repeat(60))).toThrow(
      expect.objectContaining({ code: "proposal-dropped" }),
    );
    bench.propose("");
    bench.receive({ type: "MsgAppResp", from: 2, index: 4 });
    expect(() => bench.propose("x".repeat(60))).not.toThrow();
  });

  it("takes a proposal above the limit when nothing else is uncommitted", () => {
    const bench = leaderWith({ maxUncommittedEntriesSize: 100 });
    expect(() => bench.propose("x".repeat(1000))).not.toThrow();
  });

  it("hands committed entries out page by page", () => {
    const bench = leaderWith({ maxCommittedSizePerReady: 1 });
    for (const text of ["a", "b", "c"]) bench.propose(text);
    const before = bench.readys.length;
    bench.receive({ type: "MsgAppResp", from: 2, index: 5 });
    const pages = bench.readys
      .slice(before)
      .map(({ committedEntries }) => committedEntries.map(({ index }) => index));
    expect(pages.filter((page) => page.length > 0)).toEqual([[3], [4], [5]]);
  });
});

describe("snapshots to a follower that is too far behind", () => {
  /** A leader whose log starts behind what its follower has; the follower was just asked for its state. */
  const withCompactedLog = (): Bench => {
    const bench = leaderWith({});
    for (const text of ["a", "b", "c"]) bench.propose(text);
    bench.receive({ type: "MsgAppResp", from: 2, index: 5 });
    bench.storage.createSnapshot(5, null, EMPTY_BYTES);
    bench.storage.compact(5);
    bench.raw.reportUnreachable(2);
    return bench;
  };
  /** The follower says that it has lost its log: a new voter with the number of an old one would. */
  const needSnapshot = (bench: Bench): readonly Message[] => {
    bench.receive({ type: "MsgHeartbeatResp", from: 3 });
    return bench.receive({ type: "MsgHeartbeatResp", from: 3 });
  };
  const withLateFollower = (): Bench => {
    const bench = new Bench({});
    bench.elect(2);
    bench.propose("a");
    bench.receive({ type: "MsgAppResp", from: 2, index: 3 });
    bench.storage.createSnapshot(3, null, EMPTY_BYTES);
    bench.storage.compact(3);
    // Follower 3 has not answered anything yet, and rejects the first probe.
    bench.receive({ type: "MsgAppResp", from: 3, index: 1, reject: true, rejectHint: 0 });
    return bench;
  };
  const stateOf3 = (bench: Bench): string | undefined => bench.raw.status().progress.get(3)?.text;

  it("are sent once, and pause replication", () => {
    const bench = withLateFollower();
    expect(stateOf3(bench)).toBe("StateSnapshot match=0 next=4 paused pendingSnap=3");
    expect(appends(bench.propose("b")).flat()).toEqual([4]);
    expect(needSnapshot(bench)).toEqual([]);
  });

  it("end with the follower's acknowledgement", () => {
    const bench = withLateFollower();
    bench.propose("b");
    const sent = bench.receive({ type: "MsgAppResp", from: 3, index: 3 });
    expect(appends(sent).flat()).toEqual([4]);
    expect(stateOf3(bench)).toContain("StateReplicate");
  });

  it("end with the acknowledgement of any later state, for the follower may have got it elsewhere", () => {
    const bench = withLateFollower();
    bench.propose("b");
    bench.receive({ type: "MsgAppResp", from: 3, index: 4 });
    expect(stateOf3(bench)).toBe("StateReplicate match=4 next=5");
  });

  it("are probed for when they were sent, and sent again when they failed, after the next heartbeat", () => {
    const sent = withLateFollower();
    sent.raw.reportSnapshot(3, true);
    expect(stateOf3(sent)).toBe("StateProbe match=0 next=4 paused");
    const failed = withLateFollower();
    failed.raw.reportSnapshot(3, false);
    expect(stateOf3(failed)).toBe("StateProbe match=0 next=1 paused");
    expect(failed.receive({ type: "MsgHeartbeatResp", from: 3 })).toMatchObject([{ type: "MsgSnap", to: 3 }]);
  });

  it("are not sent to a follower that is fully there", () => {
    const bench = withCompactedLog();
    expect(bench.receive({ type: "MsgHeartbeatResp", from: 2 })).toMatchObject([
      { type: "MsgApp", index: 5 },
    ]);
  });
});
