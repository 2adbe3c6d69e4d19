import { status } from "@grpc/grpc-js";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { nodeId } from "../../scheduler/model/ids.ts";
import { MemoryStore } from "../store/memory-store.ts";
import { StoreError } from "../store/store.ts";
import { contextOf, JOB_FILE, NOW, propose, SECRET, storeOfMesh } from "./api.fixture.ts";
import { hashSecret } from "../security/join-token.ts";
import { cancelJob, getJob, listJobs, submitJob } from "./job-calls.ts";

let store: MemoryStore;

beforeEach(async () => {
  store = await storeOfMesh();
});

async function submit(requestId: string, jobFile = JOB_FILE): Promise<number> {
  const reply = await submitJob(contextOf(store), { requestId, jobFile }, "alice");
  expect(reply.faults).toEqual([]);
  return Number(reply.jobId);
}

const wide = JOB_FILE.replace("nodeCount: 1", "nodeCount: 3");

describe("submit", () => {
  it("queues a job in the user's name", async () => {
    expect(await submit("request-1")).toBe(1);
    const job = await getJob(contextOf(store), { jobId: 1 });
    expect(job).toMatchObject({
      id: 1,
      name: "train",
      state: "queued",
      submittedBy: "alice",
      submittedAtMs: NOW,
    });
  });

  it("gives the same job to the same request, also after a change of leader", async () => {
    const first = await submit("request-1");
    store.setLeader(2);
    await expect(submit("request-1")).rejects.toMatchObject({ code: status.UNAVAILABLE });
    store.setLeader(1);
    expect(await submit("request-1")).toBe(first);
    expect(await submit("request-2")).not.toBe(first);
  });

  it("answers UNAVAILABLE while the outcome is unknown: the request may be repeated", async () => {
    const proposed = vi
      .spyOn(store, "propose")
      .mockRejectedValue(new StoreError("unknown-outcome", "no answer"));
    await expect(submit("request-1")).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: "no answer",
    });
    proposed.mockRestore();
  });

  for (const requestId of ["", "short", "x".repeat(65), "x".repeat(1_000_000), "with spaces", "../../etc"]) {
    it(`refuses the request id ${JSON.stringify(requestId.slice(0, 20))}`, async () => {
      await expect(submit(requestId)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
      expect(store.view().jobs.size).toBe(0);
    });
  }

  for (const jobFile of ["", "\0", "{", "a: [", "name: x", `name: ${"x".repeat(3_000_000)}`, "&a [*a, *a]"]) {
    it(`answers with faults to the job file ${JSON.stringify(jobFile.slice(0, 20))}`, async () => {
      const reply = await submitJob(contextOf(store), { requestId: "request-1", jobFile }, "alice");
      expect(reply.jobId).toBe(0);
      expect(reply.faults?.length).toBeGreaterThan(0);
      expect(store.view().jobs.size).toBe(0);
    });
  }

  it("refuses what the nodes could never run", async () => {
    const reply = await submitJob(contextOf(store), { requestId: "request-1", jobFile: wide }, "alice");
    expect(reply.faults).toMatchObject([{ path: "nodeCount", found: "3" }]);
  });

  it("rests a refusal on a confirmed round only", async () => {
    const barrier = vi
      .spyOn(store, "readBarrier")
      .mockRejectedValue(new StoreError("unavailable", "no quorum"));
    await expect(
      submitJob(contextOf(store), { requestId: "request-1", jobFile: wide }, "alice"),
    ).rejects.toMatchObject({ code: status.UNAVAILABLE });
    barrier.mockRestore();
  });

  it("takes such a job while nodes that were just admitted have not registered, but not for ever", async () => {
    const admission = { tokenId: "t1", secretHash: hashSecret(SECRET), requestId: "admit-two" };
    await propose(store, { kind: "admitNode", at: NOW, node: nodeId("two"), ...admission });
    expect(await submit("request-1", wide)).toBe(1);
    const later = contextOf(store, { now: () => NOW + 3_600_000 });
    const reply = await submitJob(later, { requestId: "request-2", jobFile: wide }, "alice");
    expect(reply.faults).toMatchObject([{ path: "nodeCount" }]);
    // What was taken is not judged again.
    expect(await submitJob(later, { requestId: "request-1", jobFile: wide }, "alice")).toMatchObject({
      jobId: 1,
    });
  });

  it("asks for patience while the mesh is being made", async () => {
    const request = { requestId: "request-1", jobFile: JOB_FILE };
    await expect(submitJob(contextOf(new MemoryStore()), request, "alice")).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
    await expect(submitJob(contextOf(null), request, "alice")).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
  });
});

describe("get and cancel", () => {
  for (const id of [0, -1, 2, 1e15, -1e15]) {
    it(`answer NOT_FOUND to job ${id}`, async () => {
      await submit("request-1");
      const missing = { code: status.NOT_FOUND };
      await expect(getJob(contextOf(store), { jobId: id })).rejects.toMatchObject(missing);
      await expect(cancelJob(contextOf(store), { jobId: id }, "alice")).rejects.toMatchObject(missing);
    });
  }

  it("show the job as cancelled, and by whom; a second time is a FAILED_PRECONDITION", async () => {
    await submit("request-1");
    await cancelJob(contextOf(store), { jobId: 1 }, "bob");
    expect(await getJob(contextOf(store), { jobId: 1 })).toMatchObject({
      state: "cancelled",
      reason: "cancelled by bob",
    });
    await expect(cancelJob(contextOf(store), { jobId: 1 }, "bob")).rejects.toMatchObject({
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
    await cancelJob(contextOf(store), { jobId: 2 }, "alice");
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
