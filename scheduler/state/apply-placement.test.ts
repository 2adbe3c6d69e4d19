import { describe, expect, it } from "vitest";
import type { PlaceGang, PlannedPart } from "../model/command.ts";
import { nodeId, session, type JobId } from "../model/ids.ts";
import { TestCluster } from "./cluster.fixture.ts";

const onTwo = { nodeCount: 2, shape: { kind: "share", gpus: 8, slots: 2 } } as const;

function clusterOf(...names: string[]): TestCluster {
  const cluster = new TestCluster();
  for (const name of names) cluster.register(name);
  return cluster;
}

/** The plan with its first part changed. */
function changed(plan: PlaceGang, change: (part: PlannedPart) => Partial<PlannedPart>): PlaceGang {
  const [first, ...rest] = plan.parts;
  if (first === undefined) throw new Error("the plan has no part");
  return { ...plan, parts: [{ ...first, ...change(first) }, ...rest] };
}

describe("placeGang", () => {
  it("takes the whole gang, with its raft index as the fence", () => {
    const cluster = clusterOf("dev1", "dev2");
    const job = cluster.submit(onTwo);
    cluster.place(job, "dev2", "dev1");
    const { fence, parts } = cluster.attempt(job);
    expect(fence).toEqual({ epoch: 0, index: cluster.state.version });
    expect(parts.map((part) => [part.node, part.gpus.length, part.slots, part.hostname])).toEqual([
      ["dev2", 8, 2, "dev2"],
      ["dev1", 8, 2, "dev1"],
    ]);
  });

  type Case = [string, (cluster: TestCluster, job: JobId) => PlaceGang, string];
  it.each<Case>([
    [
      "attempt",
      (c, job) => ({ ...c.plan(job, "dev1", "dev2"), attempt: 2 }),
      "the next attempt of job 1 is 1, not 2",
    ],
    ["too few nodes", (c, job) => c.plan(job, "dev1"), "job 1 needs 2 nodes, the plan names 1"],
    ["a node twice", (c, job) => c.plan(job, "dev1", "dev1"), "node dev1 stands twice in the plan"],
    [
      "session",
      (c, job) => changed(c.plan(job, "dev1", "dev2"), () => ({ session: session(1) })),
      "node dev1 has session 2, the plan rests on 1",
    ],
    [
      "placeable",
      (c, job) => changed(c.plan(job, "dev1", "dev2"), () => ({ placeable: 0 })),
      "node dev1 has changed since the plan was made",
    ],
    [
      "unknown node",
      (c, job) => changed(c.plan(job, "dev1", "dev2"), () => ({ node: nodeId("dev9") })),
      "no node is named dev9",
    ],
    [
      "unknown GPU",
      (c, job) =>
        changed(c.plan(job, "dev1", "dev2"), (part) => ({ gpus: [...part.gpus.slice(1), "GPU-x"] })),
      "GPU GPU-x of node dev1 is not there",
    ],
    [
      "a GPU twice",
      (c, job) =>
        changed(c.plan(job, "dev1", "dev2"), ({ gpus }) => ({ gpus: [...gpus.slice(1), gpus[1] ?? ""] })),
      "a GPU of node dev1 stands twice in the plan",
    ],
    [
      "slots",
      (c, job) => changed(c.plan(job, "dev1", "dev2"), () => ({ slots: 17 })),
      "node dev1 has 16 free slots, the plan takes 17",
    ],
    [
      "shape",
      (c, job) => changed(c.plan(job, "dev1", "dev2"), (part) => ({ gpus: part.gpus.slice(1) })),
      "the plan takes 7 GPUs and 2 slots of node dev1, the job's shape is 8 GPUs and 2 slots",
    ],
  ])("refuses the whole plan by the first false fact: %s", (_what, plan, reason) => {
    const cluster = clusterOf("dev1", "dev2");
    const job = cluster.submit(onTwo);
    expect(cluster.apply(plan(cluster, job))).toEqual({ kind: "refused", code: "stale", reason });
    expect(cluster.job(job).state.kind).toBe("queued");
  });

  it("refuses a GPU that another attempt holds, and one that has fallen sick", () => {
    const cluster = clusterOf("dev1");
    const first = cluster.submit();
    const second = cluster.submit();
    const plan = cluster.plan(second, "dev1");
    cluster.place(first, "dev1");
    expect(cluster.apply(plan)).toMatchObject({ reason: "GPU GPU-dev1-0 of node dev1 is held by job 1" });

    cluster.register("dev1", { sick: [1] });
    const onSick = changed(cluster.plan(second, "dev1"), () => ({ gpus: ["GPU-dev1-1"] }));
    expect(cluster.apply(onSick)).toMatchObject({ reason: "GPU GPU-dev1-1 of node dev1 is not healthy" });
  });

  it("refuses a plan that rests on a node lost since, and one in another pool", () => {
    const cluster = clusterOf("dev1", "dev2");
    const job = cluster.submit();
    const plan = cluster.plan(job, "dev1");
    cluster.expire("dev1");
    expect(cluster.apply(plan)).toMatchObject({ reason: "node dev1 is lost, not ready" });
    cluster.register("dev2", { pool: "big" });
    expect(cluster.apply(cluster.plan(job, "dev2"))).toMatchObject({
      reason: "node dev2 is in pool big, not default",
    });
  });

  it("gives a whole node whole, to one job alone", () => {
    const cluster = new TestCluster();
    cluster.register("dev1", { sick: [7] });
    const whole = cluster.submit({ shape: { kind: "wholeNode", gpusAtLeast: 7 } });
    const share = cluster.submit({ shape: { kind: "share", gpus: 0, slots: 0 } });
    const planForShare = cluster.plan(share, "dev1");
    cluster.place(whole, "dev1");
    expect(cluster.attempt(whole).parts[0]).toMatchObject({ slots: 16 });
    expect(cluster.attempt(whole).parts[0]?.gpus).toHaveLength(7);
    expect(cluster.apply(planForShare)).toMatchObject({ reason: "job 1 holds the whole of node dev1" });
  });

  it("gives no whole node of which a part is held, and none with too few healthy GPUs", () => {
    const cluster = clusterOf("dev1");
    cluster.register("dev2", { sick: [0] });
    const share = cluster.submit({ shape: { kind: "share", gpus: 0, slots: 0 } });
    const whole = cluster.submit({ shape: { kind: "wholeNode", gpusAtLeast: 8 } });
    cluster.place(share, "dev1");
    expect(cluster.apply(cluster.plan(whole, "dev1"))).toMatchObject({
      reason: "job 1 holds a part of node dev1, the job needs all of it",
    });
    expect(cluster.apply(cluster.plan(whole, "dev2"))).toMatchObject({
      reason: "node dev2 has 7 healthy GPUs, the job needs 8",
    });
  });
});

describe("startGang", () => {
  it("starts all parts together, once all are prepared", () => {
    const cluster = clusterOf("dev1", "dev2");
    const job = cluster.submit(onTwo);
    cluster.place(job, "dev1", "dev2");
    cluster.prepare(job, "dev1");
    const start = { kind: "startGang", at: 77, job, attempt: 1 } as const;
    expect(cluster.apply(start)).toMatchObject({
      code: "stale",
      reason: "job 1 is not prepared on node dev2",
    });
    cluster.prepare(job, "dev2");
    expect(cluster.apply({ ...start, attempt: 2 })).toMatchObject({ code: "stale" });
    expect(cluster.apply(start)).toEqual({ kind: "applied" });
    expect(cluster.job(job).state).toMatchObject({ kind: "running", startedAt: 77 });
    expect(cluster.attempt(job).parts.map((part) => part.progress.kind)).toEqual(["started", "started"]);
    expect(cluster.apply(start)).toMatchObject({ code: "stale" });
  });
});
