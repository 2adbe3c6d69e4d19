import { describe, expect, it } from "vitest";
import { jobId } from "../model/ids.ts";
import type { JobSpec } from "../model/job.ts";
import { TestCluster } from "../state/cluster.fixture.ts";
import { explainWait, nodesListedMax, type WaitReason } from "./wait.ts";

const eight: Partial<JobSpec> = { shape: { kind: "share", gpus: 8, slots: 0 } };

function cluster(...names: string[]): TestCluster {
  const made = new TestCluster();
  for (const name of names) made.register(name);
  return made;
}

function explain(on: TestCluster, spec: Partial<JobSpec>): WaitReason & { kind: "resources" } {
  const reason = explainWait(on.state, on.submit(spec));
  if (reason?.kind !== "resources") throw new Error("it does not wait for resources");
  return reason;
}

describe("a queued job", () => {
  it("says what it needs, how many nodes fit, and of each other node what stands in the way", () => {
    const c = cluster("dev1", "dev2", "dev3");
    c.run(c.submit({ ...eight, priority: "high" }), "dev1");
    const lostAt = c.now;
    c.expire("dev2", "no renewal for 6.5 s");
    const since = `${new Date(lostAt).toISOString().slice(0, 19)}Z`;
    expect(explain(c, { ...eight, nodeCount: 2 })).toEqual({
      kind: "resources",
      summary:
        "needs 2 nodes with 8 free GPUs each; 1 of 3 nodes fits now: dev1: 8 of 8 GPUs are held by job 1 (high); " +
        `dev2: lost since ${since}: no renewal for 6.5 s`,
      needed: { nodes: 2, gpusPerNode: 8, slotsPerNode: 0, wholeNodes: false },
      available: 1,
      nodes: [
        { node: "dev1", fits: false, reason: "8 of 8 GPUs are held by job 1 (high)" },
        { node: "dev2", fits: false, reason: `lost since ${since}: no renewal for 6.5 s` },
        { node: "dev3", fits: true, reason: "fits" },
      ],
      because: null,
    });
  });

  it.each<[string, Partial<JobSpec>, string]>([
    ["too few GPUs in the node", { shape: { kind: "share", gpus: 9, slots: 0 } }, "has 8 GPUs"],
    ["sick GPUs", eight, "1 of 8 GPUs is not healthy"],
    ["held GPUs", { shape: { kind: "share", gpus: 7, slots: 1 } }, "1 of 7 GPUs is held by job 1 (normal)"],
    [
      "held slots",
      { shape: { kind: "share", gpus: 0, slots: 14 } },
      "3 of 16 CPU slots are held by job 1 (normal)",
    ],
    [
      "held GPUs and slots",
      { shape: { kind: "share", gpus: 7, slots: 16 } },
      "1 of 7 GPUs is held by job 1 (normal); 3 of 16 CPU slots are held by job 1 (normal)",
    ],
    [
      "too few slots in the node",
      { shape: { kind: "share", gpus: 0, slots: 17 } },
      "3 of 16 CPU slots are held",
    ],
    [
      "a node in use",
      { shape: { kind: "wholeNode", gpusAtLeast: 0 } },
      "not all of it is free, a part is held by job 1 (normal)",
    ],
    ["another pool", { pool: "other" as JobSpec["pool"] }, "is in pool default, the job runs in pool other"],
  ])("names the lack: %s", (_what, spec, reason) => {
    const c = new TestCluster();
    c.register("dev1", { sick: [7] });
    c.run(c.submit({ shape: { kind: "share", gpus: 1, slots: 3 } }), "dev1");
    expect(explain(c, spec).nodes[0]?.reason).toContain(reason);
  });

  it("names the holder of a whole node, and counts holders beyond three", () => {
    const c = cluster("dev1", "dev2");
    c.run(c.submit({ shape: { kind: "wholeNode", gpusAtLeast: 0 } }), "dev1");
    for (let i = 0; i < 5; i++) c.run(c.submit(), "dev2");
    expect(explain(c, eight).nodes.map((node) => node.reason)).toEqual([
      "the whole node is held by job 1 (normal)",
      "5 of 8 GPUs are held by job 2 (normal), job 3 (normal), job 4 (normal) and 2 more",
    ]);
  });

  it("says why it is queued again", () => {
    const c = cluster("dev1");
    const job = c.submit();
    c.run(job, "dev1");
    c.expire("dev1", "silent");
    expect(explainWait(c.state, job)).toMatchObject({ because: "node dev1 was lost: silent" });
  });

  it("says so when nothing but its turn keeps it", () => {
    expect(explain(cluster("dev1"), {}).summary).toBe(
      "needs 1 node with 1 free GPU and 1 free CPU slot; 1 of 1 node fits now: " +
        "it is next, unless a job before it takes them",
    );
  });

  it("says so when its pool has no node", () => {
    const spec = { pool: "big" as JobSpec["pool"], shape: { kind: "wholeNode", gpusAtLeast: 8 } } as const;
    expect(explain(cluster("dev1"), spec).summary).toBe(
      "needs 1 whole node with at least 8 healthy GPUs; pool big has no node yet; 1 node is in other pools",
    );
    expect(explain(new TestCluster(), { ...spec, nodeCount: 2 })).toMatchObject({
      summary: "needs 2 whole nodes with at least 8 healthy GPUs each; pool big has no node yet",
      available: 0,
      nodes: [],
    });
  });

  it("lists a bounded number of nodes, those of its pool first, and counts the rest", () => {
    const c = new TestCluster();
    const names = Array.from({ length: nodesListedMax + 12 }, (_, i) => `dev${String(i).padStart(2, "0")}`);
    c.register("alone", { pool: "other" });
    for (const name of names) c.register(name, { gpus: 0 });
    const reason = explain(c, eight);
    expect(reason.nodes.map((node) => node.node)).toEqual(names.slice(0, nodesListedMax));
    expect(reason.summary).toMatch(
      /^needs 1 node with 8 free GPUs; 0 of 32 nodes fit now: dev00: has no GPU; /,
    );
    expect(reason.summary).toMatch(/dev19: has no GPU; and 12 more$/);
  });
});

describe("a job in another state", () => {
  it("says which nodes are not prepared, or not stopped", () => {
    const c = cluster("dev1", "dev2");
    const job = c.submit({ nodeCount: 2 });
    c.place(job, "dev1", "dev2");
    c.prepare(job, "dev1");
    expect(explainWait(c.state, job)).toEqual({
      kind: "preparing",
      summary: "is being prepared on dev2",
      nodes: ["dev2"],
    });
    c.prepare(job, "dev2");
    expect(explainWait(c.state, job)).toMatchObject({
      summary: "is prepared, and about to start",
      nodes: [],
    });
    c.start(job);
    expect(explainWait(c.state, job)).toBeNull();
    c.cancel(job);
    c.stop(job, "dev1");
    expect(explainWait(c.state, job)).toEqual({
      kind: "stopping",
      summary: "is being stopped on dev2",
      nodes: ["dev2"],
    });
    c.stop(job, "dev2");
    expect(explainWait(c.state, job)).toBeNull();
    expect(explainWait(c.state, jobId(99))).toBeNull();
  });
});
