import * as grpc from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ApiClient } from "../../proto/gen/gpumesh/v1/Api.ts";
import type { Job__Output } from "../../proto/gen/gpumesh/v1/Job.ts";
import type { SubmitJobReply__Output } from "../../proto/gen/gpumesh/v1/SubmitJobReply.ts";
import { jobId } from "../../scheduler/model/ids.ts";
import type { Member } from "../mesh/directory.ts";
import { makeMesh } from "../mesh/listener.fixture.ts";
import type { MemoryStore } from "../store/memory-store.ts";
import { JOB_FILE, MESH_ID, NOW, propose, reply, storeOfMesh, TestDaemons, until } from "./api.fixture.ts";

const mesh = makeMesh(MESH_ID);
let daemons: TestDaemons;
let store: MemoryStore;

beforeEach(async () => {
  daemons = new TestDaemons(await mesh);
  store = await storeOfMesh();
});

afterEach(() => daemons.stop());

function submit(api: ApiClient, metadata = new grpc.Metadata()): Promise<SubmitJobReply__Output> {
  return reply((done) => api.submitJob({ requestId: "request-1", jobFile: JOB_FILE }, metadata, done));
}

function getJob(api: ApiClient, id: number): Promise<Job__Output> {
  return reply((done) => api.getJob({ jobId: id }, done));
}

function forwardedFor(user: string): grpc.Metadata {
  const metadata = new grpc.Metadata();
  metadata.set("gpumesh-forwarded-for", user);
  return metadata;
}

/** What a watch shows: the states in their order, and how it ended once it has. */
function watch(api: ApiClient, id: number, metadata = new grpc.Metadata()): Watch {
  const seen: Watch = { states: [], status: null, call: api.watchJob({ jobId: id }, metadata) };
  seen.call.on("data", (job: Job__Output) => seen.states.push(job.state));
  seen.call.on("error", () => {});
  seen.call.on("status", (status: grpc.StatusObject) => (seen.status = status));
  return seen;
}

interface Watch {
  readonly states: string[];
  status: grpc.StatusObject | null;
  readonly call: grpc.ClientReadableStream<Job__Output>;
}

/** How many listeners the store has, by what is added and removed. */
function countListeners(of: MemoryStore): () => number {
  let count = 0;
  const counted =
    <Listener>(original: (listener: Listener) => () => void) =>
    (listener: Listener): (() => void) => {
      const remove = original(listener);
      let removed = false;
      count += 1;
      return () => {
        if (!removed) count -= 1;
        removed = true;
        remove();
      };
    };
  const watched = counted(of.watch.bind(of));
  const followed = counted(of.onLeadership.bind(of));
  vi.spyOn(of, "watch").mockImplementation(watched);
  vi.spyOn(of, "onLeadership").mockImplementation(followed);
  return () => count;
}

describe("a call", () => {
  it("is carried out by the leader in the name of the client's certificate", async () => {
    const api = await daemons.client(await daemons.start({ name: "one", store }));
    expect(await submit(api)).toMatchObject({ jobId: 1, faults: [] });
    expect(await getJob(api, 1)).toMatchObject({ submittedBy: "alice", state: "queued" });
  });

  it("is forwarded by a daemon that does not lead, and stays the user's", async () => {
    await daemons.start({ name: "one", store });
    const api = await daemons.client(await daemons.start({ name: "two", leader: "one" }));
    expect(await submit(api)).toMatchObject({ jobId: 1 });
    expect(store.view().jobs.get(jobId(1))?.submittedBy).toBe("alice");
    await expect(getJob(api, 7)).rejects.toMatchObject({
      code: grpc.status.NOT_FOUND,
      details: "there is no job 7; the newest is 1",
    });
  });

  it("goes no further than one daemon, when two hold each other for the leader", async () => {
    const first = await daemons.start({ name: "one", leader: "two" });
    await daemons.start({ name: "two", leader: "one" });
    const api = await daemons.client(first);
    await expect(submit(api)).rejects.toMatchObject({ code: grpc.status.UNAVAILABLE });
    const seen = watch(api, 1);
    await until(() => seen.status !== null);
    expect(seen.status?.code).toBe(grpc.status.UNAVAILABLE);
  });

  it("is UNAVAILABLE while no leader is known, streams too", async () => {
    const api = await daemons.client(await daemons.start({ name: "two" }));
    await expect(submit(api)).rejects.toMatchObject({
      code: grpc.status.UNAVAILABLE,
      details: expect.stringContaining("knows no leader"),
    });
    const seen = watch(api, 1);
    await until(() => seen.status !== null);
    expect(seen.status?.code).toBe(grpc.status.UNAVAILABLE);
  });

  it("is held while an election goes on, and carried out by whoever wins", async () => {
    const api = await daemons.client(await daemons.start({ name: "one", store }));
    store.setLeader(null);
    const submitted = submit(api);
    const listeners = countListeners(store);
    await until(() => listeners() === 1);
    store.setLeader(1);
    expect(await submitted).toMatchObject({ jobId: 1 });
    expect(listeners()).toBe(0);
  });

  it("that the last leader's machine refuses goes to the next one", async () => {
    const api = await daemons.client(await daemons.start({ name: "two", store, leader: "gone" }));
    const gone: Member = { name: "gone", number: 9, address: "127.0.0.1:1", raftRole: "voter" };
    daemons.directory.replace([...daemons.directory.members(), gone]);
    store.setLeader(9);
    const listeners = countListeners(store);
    const submitted = submit(api);
    await until(() => listeners() === 1);
    store.setLeader(1);
    expect(await submitted).toMatchObject({ jobId: 1 });
  });

  it("may name another user only when a daemon makes it", async () => {
    const address = await daemons.start({ name: "one", store });
    const client = await daemons.client(address);
    const denied = { code: grpc.status.PERMISSION_DENIED };
    await expect(submit(client, forwardedFor("root"))).rejects.toMatchObject(denied);
    const seen = watch(client, 1, forwardedFor("root"));
    await until(() => seen.status !== null);
    expect(seen.status?.code).toBe(grpc.status.PERMISSION_DENIED);
    expect(store.view().jobs.size).toBe(0);
    const daemon = await daemons.client(address, "daemon", "two");
    await submit(daemon, forwardedFor("bob"));
    expect(store.view().jobs.get(jobId(1))?.submittedBy).toBe("bob");
  });

  it("that quotes a huge text back still ends with its status", async () => {
    const address = await daemons.start({ name: "one", store });
    const api = await daemons.client(address);
    await submit(api);
    const log = api.readLog({ jobId: 1, attempt: 1, command: "x".repeat(1_000_000) });
    const status = await new Promise<grpc.StatusObject>((resolve) => {
      log.on("error", () => {});
      log.on("status", resolve);
      log.resume();
    });
    expect(status.code).toBe(grpc.status.FAILED_PRECONDITION);
    expect(await getJob(api, 1)).toMatchObject({ id: 1 });
  });
});

describe("a watch", () => {
  it("shows the job at once and after each change, and ends with it", async () => {
    await daemons.start({ name: "one", store });
    const api = await daemons.client(await daemons.start({ name: "two", leader: "one" }));
    await submit(api);
    const listeners = countListeners(store);
    const seen = watch(api, 1);
    await until(() => seen.states.length === 1);
    expect(listeners()).toBe(2);
    await propose(store, { kind: "cancelJob", at: NOW, requestId: "cancel-1", job: jobId(1), by: "alice" });
    await until(() => seen.status !== null);
    expect(seen.states).toEqual(["queued", "cancelled"]);
    expect(seen.status?.code).toBe(grpc.status.OK);
    expect(listeners()).toBe(0);
    const late = watch(api, 1);
    await until(() => late.status !== null);
    expect(late.states).toEqual(["cancelled"]);
    expect(listeners()).toBe(0);
  });

  it("leaves no listener when its client goes away, directly or behind another daemon", async () => {
    const first = await daemons.start({ name: "one", store });
    const second = await daemons.start({ name: "two", leader: "one" });
    await submit(await daemons.client(first));
    for (const address of [first, second]) {
      const listeners = countListeners(store);
      const seen = watch(await daemons.client(address), 1);
      await until(() => seen.states.length === 1);
      seen.call.cancel();
      await until(() => listeners() === 0);
      vi.restoreAllMocks();
    }
  });

  it("leaves no listener when its client goes away before the first round is confirmed", async () => {
    const api = await daemons.client(await daemons.start({ name: "one", store }));
    await submit(api);
    const listeners = countListeners(store);
    let confirm: (() => void) | null = null;
    vi.spyOn(store, "readBarrier").mockImplementation(() => new Promise((resolve) => (confirm = resolve)));
    const seen = watch(api, 1);
    await until(() => confirm !== null);
    seen.call.cancel();
    await until(() => seen.status !== null);
    await new Promise((resolve) => setTimeout(resolve, 50));
    (confirm as (() => void) | null)?.();
    await new Promise((resolve) => setImmediate(resolve));
    expect(listeners()).toBe(0);
  });

  it("ends with UNAVAILABLE when the leader is deposed, and with NOT_FOUND where there is no such job", async () => {
    const api = await daemons.client(await daemons.start({ name: "one", store }));
    await submit(api);
    const listeners = countListeners(store);
    const none = watch(api, 2);
    await until(() => none.status !== null);
    expect(none.status?.code).toBe(grpc.status.NOT_FOUND);
    const seen = watch(api, 1);
    await until(() => seen.states.length === 1);
    store.setLeader(2);
    await until(() => seen.status !== null);
    expect(seen.status?.code).toBe(grpc.status.UNAVAILABLE);
    expect(listeners()).toBe(0);
  });
});
