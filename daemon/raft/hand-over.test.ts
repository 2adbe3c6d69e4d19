import { afterEach, beforeEach, expect, it } from "vitest";
import { FAST_TIMING, proposeSurely, TestGroup } from "./driver.fixture.ts";

let group: TestGroup;

beforeEach(() => {
  group = new TestGroup();
});

afterEach(async () => {
  for (const { fatal } of group.members) expect(fatal).toEqual([]);
  await group.close();
});

it("hands the lead to the voter with most of the log, whose members never miss a leader", async () => {
  await group.startAll([1, 2, 3]);
  const old = await group.leader();
  const [heir, behind] = group.members.filter(({ id }) => id !== old.id);
  await proposeSurely(group, "before");
  await group.converge();
  // One voter misses the newest entry, so it must not be chosen.
  group.network.setRule(({ to, type }) => (to === behind!.id && type === "MsgApp" ? "drop" : { delayMs: 0 }));
  await old.driver.propose(Buffer.from("newest"));
  const preVotes: number[] = [];
  group.network.setRule(({ from, to, type }) => {
    if (type === "MsgPreVote") preVotes.push(from);
    return to === behind!.id && type === "MsgApp" ? "drop" : { delayMs: 0 };
  });
  await old.driver.handOver();
  expect(old.driver.status()).toMatchObject({ role: "follower", leader: heir!.id });
  expect(preVotes).toEqual([]);
  await group.stop(old.id);
  group.network.heal();
  await proposeSurely(group, "after");
  await group.converge();
  for (const { applied } of group.members) {
    expect(applied.map((line) => line.slice(line.indexOf(":") + 1))).toEqual(["before", "newest", "after"]);
  }
});

it("hands the lead to one that answers, when the one with most of the log has just died", async () => {
  await group.startAll([1, 2, 3]);
  const old = await group.leader();
  const [ahead, behind] = group.members.filter(({ id }) => id !== old.id);
  await proposeSurely(group, "before");
  await group.converge();
  group.network.setRule(({ to, type }) => (to === behind!.id && type === "MsgApp" ? "drop" : { delayMs: 0 }));
  await old.driver.propose(Buffer.from("newest"));
  await group.crash(ahead!.id);
  group.network.heal();
  await old.driver.handOver();
  expect(old.driver.status()).toMatchObject({ role: "follower", leader: behind!.id });
});

it("waits for nobody where there is nobody, or where it does not lead", async () => {
  await group.startAll([1]);
  const { driver } = await group.leader();
  await driver.handOver();
  expect(driver.status().role).toBe("leader");
});

it("gives up after an election timeout when no other voter answers", async () => {
  await group.startAll([1, 2, 3]);
  const old = await group.leader();
  group.network.partition([old.id]);
  const begun = performance.now();
  await old.driver.handOver();
  const { electionTicks, tickMs } = FAST_TIMING;
  expect(performance.now() - begun).toBeGreaterThanOrEqual(electionTicks * tickMs - 1);
  await group.stop(old.id);
});
