import { describe, expect, it } from "vitest";
import type { JobState, PartProgress } from "../../scheduler/model/job.ts";
import { jobId, nodeId, session } from "../../scheduler/model/ids.ts";
import { parseJobSpec } from "../../scheduler/model/schemas.ts";
import { TestCluster } from "../../scheduler/state/cluster.fixture.ts";
import { isNews, ordersFor } from "./orders.ts";
import { STOP_GRACE_MS } from "./timing.ts";

const node = nodeId("n1");
const term = 7;

/** Job 1 on nodes n1 and n2. */
function placed(): TestCluster {
  const cluster = new TestCluster();
  cluster.register("n1");
  cluster.register("n2");
  cluster.place(cluster.submit({ nodeCount: 2 }), "n1", "n2");
  return cluster;
}

function ordersOf(cluster: TestCluster, name = "n1"): readonly string[] {
  const { id, session: current } = cluster.node(name);
  return ordersFor(cluster.state, id, current, term).map((order) => order.key);
}

const job = jobId(1);
const steps: readonly {
  readonly state: JobState["kind"];
  readonly progress: PartProgress["kind"];
  readonly orders: readonly string[];
  readonly reach: (cluster: TestCluster) => void;
}[] = [
  { state: "starting", progress: "assigned", orders: ["prepare 1.1"], reach: () => {} },
  { state: "starting", progress: "prepared", orders: [], reach: (it) => it.prepare(job, "n1") },
  {
    state: "running",
    progress: "started",
    orders: ["start 1.1"],
    reach: (it) => {
      it.prepare(job);
      it.start(job);
    },
  },
  {
    state: "terminating",
    progress: "exited",
    orders: ["stop 1.1"],
    reach: (it) => {
      it.prepare(job);
      it.start(job);
      it.exit(job, "n1", 1);
    },
  },
  { state: "terminating", progress: "assigned", orders: ["stop 1.1"], reach: (it) => it.cancel(job) },
  {
    state: "terminating",
    progress: "stopped",
    orders: [],
    reach: (it) => {
      it.cancel(job);
      it.stop(job, "n1");
    },
  },
  { state: "terminating", progress: "lost", orders: [], reach: (it) => it.expire("n1") },
];

describe("orders", () => {
  for (const { state, progress, orders, reach } of steps) {
    it(`of a part that is ${progress} in a job that is ${state}: ${orders.join() || "none"}`, () => {
      const cluster = placed();
      reach(cluster);
      expect(cluster.job(job).state.kind).toBe(state);
      expect(cluster.attempt(job).parts[0]?.progress.kind).toBe(progress);
      expect(ordersOf(cluster)).toEqual(orders);
    });
  }

  it("say nothing of jobs that hold nothing", () => {
    const cluster = placed();
    cluster.cancel(job);
    cluster.stop(job);
    expect(cluster.job(job).state.kind).toBe("cancelled");
    cluster.submit({ nodeCount: 2 });
    expect(ordersOf(cluster)).toEqual([]);
  });

  it("are for the session that the part was placed on, and no other", () => {
    const cluster = placed();
    expect(ordersFor(cluster.state, node, session(999), term)).toEqual([]);
    cluster.expire("n1");
    cluster.register("n1");
    expect(ordersOf(cluster)).toEqual([]);
    expect(ordersOf(cluster, "n2")).toEqual(["stop 1.1"]);
  });

  it("carry the term, the fence and the documents of job and attempt", () => {
    const cluster = placed();
    const [order] = ordersFor(cluster.state, node, cluster.node("n1").session, term);
    const { prepare } = order?.message() ?? {};
    expect(prepare).toMatchObject({ term, jobId: 1 });
    expect(parseJobSpec(prepare?.specJson ?? "")).toEqual({ kind: "value", value: cluster.job(job).spec });
    expect(JSON.parse(prepare?.attemptJson ?? "")).toEqual(cluster.attempt(job));
    const { fence } = cluster.attempt(job);
    cluster.cancel(job);
    const [stop] = ordersFor(cluster.state, node, cluster.node("n1").session, term);
    expect(stop?.message()).toEqual({
      stop: { term, jobId: 1, attempt: 1, fence, graceMs: STOP_GRACE_MS },
    });
  });
});

describe("a report is news", () => {
  const exits = [] as const;
  const cases: readonly [PartProgress, readonly string[]][] = [
    [{ kind: "assigned" }, ["prepared", "refused", "exited", "stopped"]],
    [{ kind: "prepared" }, ["refused", "exited", "stopped"]],
    [{ kind: "started" }, ["refused", "exited", "stopped"]],
    [{ kind: "exited", exits }, ["refused", "stopped"]],
    [{ kind: "stopped", exits }, []],
    [{ kind: "lost", reason: "silent" }, []],
  ];
  for (const [progress, news] of cases) {
    it(`to a part that is ${progress.kind}: ${news.join(", ") || "never"}`, () => {
      const reports = [
        { kind: "prepared" },
        { kind: "refused", reason: "no port" },
        { kind: "exited", exits },
        { kind: "stopped", exits },
      ] as const;
      expect(reports.filter((report) => isNews(progress, report)).map(({ kind }) => kind)).toEqual(news);
    });
  }
});
