import { afterEach, beforeEach, expect, it } from "vitest";
import { proposeSurely, TestGroup } from "./driver.fixture.ts";
import type { TestMember } from "./driver.fixture.ts";

/** Ten minutes: who waits for an election timeout waits for the whole test. */
const NO_TIMEOUT = { tickMs: 10, electionTicks: 60_000, heartbeatTicks: 2 };

let group: TestGroup;

beforeEach(() => {
  group = new TestGroup();
});

afterEach(async () => {
  for (const { fatal } of group.members) expect(fatal).toEqual([]);
  await group.close();
});

/** The others, when this one leads. */
async function startWithLeader(ids: readonly number[]): Promise<{ old: TestMember; others: TestMember[] }> {
  // A group of one needs no timeout to find its leader; the others join it.
  const [founder = 1, ...joining] = ids;
  const old = await group.start(founder, [founder], { timing: NO_TIMEOUT });
  for (const id of joining) await group.start(id, null, { timing: NO_TIMEOUT });
  await group.leader();
  await old.driver.proposeConfChange({
    transition: "ConfChangeTransitionAuto",
    changes: joining.map((nodeId) => ({ type: "ConfChangeAddNode", nodeId })),
  });
  await proposeSurely(group, "before");
  await group.converge();
  return { old, others: group.members.filter(({ id }) => id !== old.id) };
}

it.each([[[1, 2, 3]], [[1, 2, 3, 4, 5]]])("the others of %j elect a leader without waiting", async (ids) => {
  const { old, others } = await startWithLeader(ids);
  const { term } = old.driver.status();
  await group.crash(old.id);
  const next = await group.leader();
  expect(next.driver.status().term).toBeGreaterThan(term);
  await proposeSurely(group, "after");
  await group.converge();
  for (const { applied } of others) expect(applied.map(textOf)).toEqual(["before", "after"]);
});

it("a voter whose log is behind loses to the one with the entries, also when it asks first", async () => {
  const { old, others } = await startWithLeader([1, 2, 3]);
  const [behind, ahead] = others.toSorted((a, b) => a.id - b.id);
  group.network.setRule(({ to, type }) => (to === behind!.id && type === "MsgApp" ? "drop" : { delayMs: 0 }));
  await old.driver.propose(Buffer.from("newest"));
  await group.crash(old.id);
  group.network.heal();
  expect((await group.leader()).id).toBe(ahead!.id);
  await proposeSurely(group, "after");
  await group.converge();
  expect(behind!.applied.map(textOf)).toEqual(["before", "newest", "after"]);
});

it("one follower that is wrong unseats nobody, and follows again at the next word of the leader", async () => {
  const { old, others } = await startWithLeader([1, 2, 3]);
  const { term } = old.driver.status();
  const [wrong] = others;
  const asked: string[] = [];
  group.network.setRule(({ from, type }) => {
    if (type === "MsgPreVote" || type === "MsgVote") asked.push(`${type} of ${from}`);
    // The leader says nothing until the follower has asked.
    return asked.length === 0 && (type === "MsgHeartbeat" || type === "MsgApp") ? "drop" : { delayMs: 0 };
  });
  group.network.tellGone(wrong!.id, old.id);
  await proposeSurely(group, "after");
  await group.converge();
  expect(asked).toContain(`MsgPreVote of ${wrong!.id}`);
  expect(asked.filter((line) => line.startsWith("MsgVote"))).toEqual([]);
  for (const { driver } of group.members) expect(driver.status()).toMatchObject({ term, leader: old.id });
});

function textOf(line: string): string {
  return line.slice(line.indexOf(":") + 1);
}
