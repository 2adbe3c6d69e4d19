import { describe, expect, it } from "vitest";
import { nodeId, session } from "../model/ids.ts";
import { testFacts, TestCluster } from "./cluster.fixture.ts";

const twoNodes = {
  nodeCount: 2,
  toolkit: { kind: "customMpi", commandLine: "train", processCount: 2 },
} as const;

function runningOnTwo(): TestCluster {
  const cluster = new TestCluster();
  cluster.register("dev1");
  cluster.register("dev2");
  cluster.run(cluster.submit(twoNodes), "dev1", "dev2");
  return cluster;
}

describe("registerNode", () => {
  it("refuses a node that was never admitted", () => {
    const cluster = new TestCluster();
    cluster.register("dev1");
    const stranger = cluster.apply({ kind: "registerNode", at: 9, facts: testFacts("dev9") });
    expect(stranger).toMatchObject({ kind: "refused", code: "not-found" });
  });

  it("opens a session at its raft index, and keeps it through a daemon restart", () => {
    const cluster = new TestCluster();
    cluster.register("dev1");
    const first = cluster.node("dev1");
    expect(first).toMatchObject({ session: cluster.state.version, placeable: 1, state: { kind: "ready" } });
    cluster.register("dev1");
    expect(cluster.node("dev1")).toEqual(first);
  });

  it.each([
    ["fewer slots", { slots: 8 }, 1],
    ["a sick GPU", { sick: [3] }, 1],
    ["another pool", { pool: "big" }, 1],
    ["nothing", {}, 0],
  ])("raises placeable within a session by what placements rest on: %s", (_what, change, raised) => {
    const cluster = new TestCluster();
    cluster.register("dev1");
    const before = cluster.node("dev1");
    cluster.register("dev1", change);
    const after = cluster.node("dev1");
    expect(after.session).toBe(before.session);
    expect(after.placeable).toBe(before.placeable + raised);
    expect(after.facts).toEqual(testFacts("dev1", change));
  });

  it("leaves a running job alone when its daemon restarts", () => {
    const cluster = runningOnTwo();
    const before = cluster.job(1);
    cluster.register("dev2");
    expect(cluster.job(1)).toBe(before);
  });

  it("takes a new boot id as proof that everything of the old session is dead", () => {
    const cluster = runningOnTwo();
    cluster.register("dev2", { bootId: "boot-2" });
    expect(cluster.job(1).state).toMatchObject({
      kind: "terminating",
      outcome: { kind: "retry", charged: false, reason: "node dev2 was lost: the machine was rebooted" },
    });
    expect(cluster.node("dev2")).toMatchObject({ session: cluster.state.version, placeable: 2 });
    cluster.stop(cluster.job(1).id, "dev1");
    expect(cluster.job(1).state).toMatchObject({ kind: "queued" });
  });

  it("gives a lost node a new session", () => {
    const cluster = new TestCluster();
    cluster.register("dev1");
    cluster.expire("dev1");
    cluster.register("dev1");
    expect(cluster.node("dev1")).toMatchObject({ session: cluster.state.version, state: { kind: "ready" } });
  });
});

describe("expireNode", () => {
  it("loses the node's part, and ends the whole gang for another try that is not charged", () => {
    const cluster = runningOnTwo();
    cluster.expire("dev1", "no renewal for 6.5 s");
    expect(cluster.node("dev1").state).toMatchObject({ kind: "lost", reason: "no renewal for 6.5 s" });
    expect(cluster.job(1).state).toMatchObject({
      kind: "terminating",
      outcome: { kind: "retry", charged: false, reason: "node dev1 was lost: no renewal for 6.5 s" },
    });
  });

  it("keeps every GPU of the gang until the last part is stopped", () => {
    const cluster = runningOnTwo();
    cluster.expire("dev1");
    expect(cluster.state.allocationsOf(nodeId("dev1"))).toHaveLength(1);
    cluster.stop(cluster.job(1).id, "dev2");
    expect(cluster.state.allocationsOf(nodeId("dev1"))).toHaveLength(0);
    expect(cluster.job(1)).toMatchObject({
      attempts: 1,
      failures: 0,
      state: { kind: "queued", because: "node dev1 was lost: no renewal for 6.5 s" },
      history: [{ number: 1, nodes: ["dev1", "dev2"] }],
    });
  });

  it("keeps the outcome of a job that was ending already", () => {
    const cluster = runningOnTwo();
    const job = cluster.job(1).id;
    cluster.exit(job, "dev1");
    cluster.expire("dev2");
    cluster.stop(job, "dev1");
    expect(cluster.job(1).state.kind).toBe("succeeded");
  });

  it("leaves a part that was stopped before as it was", () => {
    const cluster = runningOnTwo();
    const job = cluster.job(1).id;
    cluster.cancel(job);
    cluster.stop(job, "dev2");
    cluster.expire("dev2");
    expect(cluster.attempt(job).parts.map((part) => part.progress.kind)).toEqual(["started", "stopped"]);
  });

  it("is stale for another session, and for a node that is lost already", () => {
    const cluster = new TestCluster();
    cluster.register("dev1");
    const expire = { kind: "expireNode", at: 9, node: nodeId("dev1"), reason: "silent" } as const;
    const old = session(cluster.node("dev1").session - 1);
    expect(cluster.apply({ ...expire, session: old })).toMatchObject({ kind: "refused", code: "stale" });
    cluster.expire("dev1");
    expect(cluster.apply({ ...expire, session: cluster.node("dev1").session })).toMatchObject({
      code: "stale",
    });
  });
});
