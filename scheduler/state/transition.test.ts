import { describe, expect, it } from "vitest";
import type { JobState } from "../model/job.ts";
import { TestCluster } from "./cluster.fixture.ts";
import { enterJob, moveJob } from "./transition.ts";

const ended: JobState = { kind: "succeeded", endedAt: 1 };
const queued: JobState = { kind: "queued", since: 1, because: null };

describe("moveJob", () => {
  it("throws at a move that no job makes", () => {
    const cluster = new TestCluster();
    cluster.register("dev1");
    const job = cluster.submit();
    expect(() => moveJob(cluster.state, { ...cluster.job(job), state: ended })).toThrow(
      "illegal move of job 1 from queued to succeeded",
    );
    cluster.cancel(job);
    expect(() => moveJob(cluster.state, { ...cluster.job(job), state: queued })).toThrow(
      "illegal move of job 1 from cancelled to queued",
    );
  });

  it("throws when a new attempt does not follow the last, or takes the place of one that lives", () => {
    const cluster = new TestCluster();
    cluster.register("dev1");
    const job = cluster.submit();
    const waiting = cluster.job(job);
    cluster.place(job, "dev1");
    const attempt = { ...cluster.attempt(job), number: 2 };
    const next = { ...cluster.job(job), state: { kind: "starting", attempt } } as const;
    expect(() => moveJob(cluster.state, next)).toThrow("attempt 2 took the place of active attempt 1");

    const other = cluster.submit();
    const skipped = { ...waiting, id: other, state: { kind: "starting", attempt } } as const;
    expect(() => moveJob(cluster.state, skipped)).toThrow("attempt 2 follows attempt 0");
  });
});

describe("enterJob", () => {
  it("lets a job in once", () => {
    const cluster = new TestCluster();
    cluster.register("dev1");
    const job = cluster.submit();
    expect(() => enterJob(cluster.state, cluster.job(job))).toThrow("job 1 entered twice");
  });
});
