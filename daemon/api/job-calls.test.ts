import { status } from "@grpc/grpc-js";
import { beforeEach, describe, expect, it } from "vitest";
import type { MemoryStore } from "../store/memory-store.ts";
import { contextOf, JOB_FILE, storeOfMesh } from "./api.fixture.ts";
import { cancelJob, getJob, listJobs } from "./job-calls.ts";
import { submitJob } from "./submit-calls.ts";

let store: MemoryStore;

beforeEach(async () => {
  store = await storeOfMesh();
});

async function submit(requestId: string, jobFile = JOB_FILE): Promise<number> {
  const reply = await submitJob(contextOf(store), { requestId, jobFile }, "alice");
  expect(reply.faults).toEqual([]);
  return Number(reply.jobId);
}

describe("get and cancel", () => {
  for (const id of [0, -1, 2, 1e15, -1e15]) {
    it(`answer NOT_FOUND to job ${id}`, async () => {
      await submit("request-1");
      const missing = { code: status.NOT_FOUND };
      await expect(getJob(contextOf(store), { jobId: id })).rejects.toMatchObject(missing);
      await expect(
        cancelJob(contextOf(store), { jobId: id, requestId: "cancel-1" }, "alice"),
      ).rejects.toMatchObject(missing);
    });
  }

  it("show the job as cancelled, and by whom; another request is a FAILED_PRECONDITION then", async () => {
    await submit("request-1");
    const cancel = { jobId: 1, requestId: "cancel-1" };
    await cancelJob(contextOf(store), cancel, "bob");
    expect(await cancelJob(contextOf(store), cancel, "bob")).toEqual({});
    expect(await getJob(contextOf(store), { jobId: 1 })).toMatchObject({
      state: "cancelled",
      reason: "cancelled by bob",
    });
    await expect(
      cancelJob(contextOf(store), { ...cancel, requestId: "cancel-2" }, "bob"),
    ).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
    });
  });
});

describe("list", () => {
  async function ids(states: string[], limit = 0): Promise<{ ids: unknown[]; truncated: unknown }> {
    const { jobs = [], truncated } = await listJobs(contextOf(store), { states, limit });
    return { ids: jobs.map((job) => job.id), truncated };
  }

  it("gives the newest first, of the states asked for, as many as asked for", async () => {
    for (const nth of [1, 2, 3, 4]) await submit(`request-${nth}`);
    await cancelJob(contextOf(store), { jobId: 2, requestId: "cancel-1" }, "alice");
    expect(await ids([])).toEqual({ ids: [4, 3, 2, 1], truncated: false });
    expect(await ids(["queued"])).toEqual({ ids: [4, 3, 1], truncated: false });
    expect(await ids(["queued"], 2)).toEqual({ ids: [4, 3], truncated: true });
    expect(await ids(["queued"], 3)).toEqual({ ids: [4, 3, 1], truncated: false });
    expect(await ids([], -5)).toEqual({ ids: [4, 3, 2, 1], truncated: false });
    expect(await ids(["no such state"])).toEqual({ ids: [], truncated: false });
  });

  it("gives at most 1000 jobs", async () => {
    const all = Array.from({ length: 1_002 }, (_, nth) => submit(`request-${nth}`));
    await Promise.all(all);
    const listed = await ids([], 5_000);
    expect(listed.ids).toHaveLength(1_000);
    expect(listed).toMatchObject({ truncated: true });
  });

  it("stays below the size of a message, however large the jobs are", async () => {
    const command = "x".repeat(32_000);
    const large = JOB_FILE.replace("commandLine: train", `commandLine: ${command}`);
    for (let nth = 0; nth < 120; nth += 1) await submit(`request-${nth}`, large);
    const { jobs = [], truncated } = await listJobs(contextOf(store), { states: [], limit: 0 });
    expect(truncated).toBe(true);
    expect(jobs.length).toBeGreaterThan(50);
    expect(JSON.stringify(jobs).length).toBeLessThan(4 * 1024 * 1024);
  });
});
