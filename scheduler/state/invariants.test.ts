import { describe, expect, it } from "vitest";
import { nodeId } from "../model/ids.ts";
import type { Attempt, JobRecord } from "../model/job.ts";
import { checkInvariants, checkStep } from "./invariants.ts";
import { recordsOf, restoreState } from "./records.ts";
import type { State } from "./state.ts";
import { TestCluster } from "./cluster.fixture.ts";

/** Two jobs of one GPU run on dev1, a third is queued; then something in the state is broken by hand. */
function broken(change: (state: State, cluster: TestCluster) => void): () => void {
  const cluster = new TestCluster();
  cluster.register("dev1");
  cluster.register("dev2");
  cluster.run(cluster.submit(), "dev1");
  cluster.run(cluster.submit(), "dev1");
  cluster.submit();
  const state = restoreState(recordsOf(cluster.state), cluster.state.version);
  checkInvariants(state);
  change(state, cluster);
  return () => checkInvariants(state);
}

function withAttempt(job: JobRecord, change: Partial<Attempt>): JobRecord {
  if (job.state.kind !== "running") throw new Error("not running");
  return { ...job, state: { ...job.state, attempt: { ...job.state.attempt, ...change } } };
}

describe("checkInvariants names the broken one", () => {
  it("J2: a request with two jobs", () => {
    const twice = broken((state, c) => state.putJob({ ...c.job(3), requestId: c.job(1).requestId }));
    expect(twice).toThrow("J2");
  });

  it("J3: an attempt that was not counted", () => {
    expect(broken((state, c) => state.putJob({ ...c.job(1), attempts: 2 }))).toThrow("J3");
  });

  it("J4: a part on a session that is over", () => {
    expect(
      broken((state, c) => state.putNode({ ...c.node("dev1"), session: c.node("dev2").session })),
    ).toThrow("J4");
  });

  it("J5: a GPU with two holders", () => {
    const shared = broken((state, c) => {
      // Let go and taken again, for what an attempt holds is indexed when it begins.
      state.putJob({ ...c.job(2), state: { kind: "queued", since: 1, because: null } });
      state.putJob(withAttempt(c.job(2), { parts: c.attempt(c.job(1).id).parts }));
    });
    expect(shared).toThrow("J5");
  });

  it("J6: a gang that is not whole", () => {
    expect(
      broken((state, c) => state.putJob({ ...c.job(1), spec: { ...c.job(1).spec, nodeCount: 2 } })),
    ).toThrow("J6");
  });

  it("an index that went its own way", () => {
    const drifted = broken((state, c) => {
      const parts = c.attempt(c.job(1).id).parts.map((part) => ({ ...part, node: nodeId("dev2") }));
      const moved = parts.map((part) => ({ ...part, session: c.node("dev2").session }));
      state.putJob(withAttempt(c.job(1), { parts: moved }));
    });
    expect(drifted).toThrow("the index of allocations equals the attempts");
  });
});

describe("checkStep", () => {
  it("J7: a terminal job stays as it is", () => {
    const cluster = new TestCluster();
    cluster.register("dev1");
    cluster.cancel(cluster.submit());
    const before = new Map(cluster.state.jobs);
    const state = restoreState(recordsOf(cluster.state), cluster.state.version);
    state.putJob({ ...cluster.job(1), state: { kind: "succeeded", endedAt: 1 } });
    expect(() => checkStep(before, state)).toThrow("J7");
  });
});
