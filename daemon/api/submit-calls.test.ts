import { status } from "@grpc/grpc-js";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { nodeId } from "../../scheduler/model/ids.ts";
import { hashSecret } from "../security/join-token.ts";
import { MemoryStore } from "../store/memory-store.ts";
import { StoreError } from "../store/store.ts";
import { contextOf, JOB_FILE, NOW, propose, SECRET, storeOfMesh } from "./api.fixture.ts";
import { getJob } from "./job-calls.ts";
import { submitJob, submitJobs } from "./submit-calls.ts";

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

describe("a submit of several jobs", () => {
  const batch = (...files: readonly string[]): { requestId: string; jobFile: string }[] =>
    files.map((jobFile, nth) => ({ requestId: `request-${nth + 1}`, jobFile }));

  async function submitAll(
    jobs: readonly { readonly requestId: string; readonly jobFile: string }[],
  ): Promise<readonly [id: unknown, faults: readonly (string | undefined)[]][]> {
    const reply = await submitJobs(contextOf(store), { jobs: [...jobs] }, "alice");
    return (reply.jobs ?? []).map(({ jobId, faults = [] }) => [jobId, faults.map((fault) => fault.path)]);
  }

  it("queues them in their order, and the same ones when it is repeated", async () => {
    const jobs = batch(...Array.from({ length: 200 }, (_, nth) => JOB_FILE.replace("train", `train-${nth}`)));
    const ids = jobs.map((_, nth) => [nth + 1, []]);
    expect(await submitAll(jobs)).toEqual(ids);
    expect(await submitAll(jobs)).toEqual(ids);
    expect([...store.view().jobs.values()].map(({ spec }) => spec.name)).toEqual(
      jobs.map((_, nth) => `train-${nth}`),
    );
  });

  it("lets the daemon's other work have its turn while it is checked", async () => {
    const long = `${JOB_FILE}# ${"x".repeat(1_000)}\n`;
    let turns = 0;
    let timer = setImmediate(function next() {
      turns++;
      timer = setImmediate(next);
    });
    const done = await submitAll(batch(...Array.from({ length: 1_000 }, () => long)));
    clearImmediate(timer);
    expect(done).toHaveLength(1_000);
    expect(turns).toBeGreaterThan(100);
  });

  it("queues none where one is wrong, and says of each what is wrong with it", async () => {
    expect(await submitAll(batch(JOB_FILE, "name: x", wide))).toEqual([
      [0, []],
      [0, [expect.any(String)]],
      [0, ["nodeCount"]],
    ]);
    expect(store.view().jobs.size).toBe(0);
  });

  it("fails where some may have been queued, and when repeated queues the rest", async () => {
    const real = store.propose.bind(store);
    const failing = vi.spyOn(store, "propose").mockImplementation((command) => {
      const dropped = command.kind === "submitJob" && command.requestId === "request-2";
      return dropped ? Promise.reject(new StoreError("unavailable", "no leader")) : real(command);
    });
    const jobs = batch(JOB_FILE, JOB_FILE, JOB_FILE);
    await expect(submitAll(jobs)).rejects.toMatchObject({ code: status.UNAVAILABLE });
    failing.mockRestore();
    await vi.waitFor(() => expect(store.view().jobs.size).toBe(2));
    expect(await submitAll(jobs)).toEqual([
      [1, []],
      [3, []],
      [2, []],
    ]);
    // What was taken is not refused for the faults of others.
    expect(await submitAll([...jobs, { requestId: "request-4", jobFile: wide }])).toEqual([
      [1, []],
      [3, []],
      [2, []],
      [0, ["nodeCount"]],
    ]);
  });

  const refused: readonly (readonly [string, readonly { requestId: string; jobFile: string }[]])[] = [
    ["without a job", []],
    ["of more than 1000", batch(...Array.from({ length: 1_001 }, () => ""))],
    ["of more than 3 MiB", batch(...Array.from({ length: 4 }, () => "x".repeat(800_000)))],
    ["with one request id twice", [...batch(JOB_FILE), ...batch(JOB_FILE)]],
    ["with a bad request id", [...batch(JOB_FILE), { requestId: "short", jobFile: JOB_FILE }]],
  ];
  for (const [what, jobs] of refused) {
    it(`is refused ${what}`, async () => {
      await expect(submitAll(jobs)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
      expect(store.view().jobs.size).toBe(0);
    });
  }
});
