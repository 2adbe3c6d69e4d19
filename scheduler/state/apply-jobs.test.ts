import { describe, expect, it } from "vitest";
import { jobId } from "../model/ids.ts";
import { TestCluster } from "./cluster.fixture.ts";

function clusterOfOne(): TestCluster {
  const cluster = new TestCluster();
  cluster.register("dev1");
  return cluster;
}

const cancel = { kind: "cancelJob", at: 9, requestId: "cancel-it", job: jobId(1), by: "bob" } as const;

describe("submitJob", () => {
  it("numbers jobs from 1", () => {
    const cluster = clusterOfOne();
    expect([cluster.submit(), cluster.submit()]).toEqual([1, 2]);
  });

  it("gives the same job for the same request, also after that job has ended", () => {
    const cluster = clusterOfOne();
    const job = cluster.submit({}, "r1");
    cluster.cancel(job);
    expect(cluster.submit({ name: "other" }, "r1")).toBe(job);
    expect(cluster.state.jobs.size).toBe(1);
  });
});

describe("cancelJob", () => {
  it("ends a queued job at once", () => {
    const cluster = clusterOfOne();
    cluster.submit();
    cluster.must(cancel);
    expect(cluster.job(1).state).toEqual({ kind: "cancelled", endedAt: 9, reason: "cancelled by bob" });
  });

  it("ends a running job when its attempt is proven gone", () => {
    const cluster = clusterOfOne();
    const job = cluster.submit();
    cluster.run(job, "dev1");
    cluster.cancel(job);
    expect(cluster.job(1).state).toMatchObject({ kind: "terminating", outcome: { kind: "cancel" } });
    cluster.stop(job);
    expect(cluster.job(1).state).toMatchObject({ kind: "cancelled", reason: "cancelled by alice" });
  });

  it("turns a coming retry into the end", () => {
    const cluster = clusterOfOne();
    const job = cluster.submit({ maxRetries: 1 });
    cluster.run(job, "dev1");
    cluster.exit(job, "dev1", 1);
    cluster.cancel(job);
    cluster.stop(job);
    expect(cluster.job(1)).toMatchObject({ state: { kind: "cancelled" }, failures: 0 });
  });

  it("says what it found where there is nothing left to cancel", () => {
    const cluster = clusterOfOne();
    expect(cluster.apply(cancel)).toMatchObject({ code: "not-found", reason: "there is no job 1" });
    const job = cluster.submit();
    cluster.run(job, "dev1");
    cluster.exit(job, "dev1");
    expect(cluster.apply(cancel)).toMatchObject({
      code: "impossible",
      reason: "job 1 can not be cancelled: it has succeeded, and its processes are being stopped",
    });
    cluster.stop(job);
    expect(cluster.apply(cancel)).toMatchObject({
      code: "impossible",
      reason: "job 1 can not be cancelled: it has already succeeded",
    });
  });
});
