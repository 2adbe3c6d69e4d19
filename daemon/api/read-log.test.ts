import * as grpc from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nodeId } from "../../scheduler/model/ids.ts";
import type { HeldLogChunk } from "../../proto/gen/gpumesh/v1/HeldLogChunk.ts";
import type { LogChunk__Output } from "../../proto/gen/gpumesh/v1/LogChunk.ts";
import type { ReadLogRequest } from "../../proto/gen/gpumesh/v1/ReadLogRequest.ts";
import { makeMesh } from "../mesh/listener.fixture.ts";
import type { MemoryStore } from "../store/memory-store.ts";
import { JOB_FILE, MESH_ID, NOW, propose, reply, storeOfMesh, TestDaemons, until } from "./api.fixture.ts";

const mesh = makeMesh(MESH_ID);
let daemons: TestDaemons;
let store: MemoryStore;
let addresses: Record<"one" | "two", string>;
/** How often a reader of the log in `follow` was told that its caller is gone. */
let aborted: number;
let asked: unknown[];

/** Daemon `one` leads and holds the log; `two` forwards to it. */
beforeEach(async () => {
  daemons = new TestDaemons(await mesh);
  store = await storeOfMesh();
  [aborted, asked] = [0, []];
  const one = await daemons.start({ name: "one", store, heldLog });
  addresses = { one, two: await daemons.start({ name: "two", leader: "one" }) };
  const api = await daemons.client(one);
  await reply((done) => api.submitJob({ requestId: "request-1", jobFile: JOB_FILE }, done));
});

afterEach(() => daemons.stop());

/** 3 MB in 64 KiB pieces; with an odd first offset it then waits for more until its caller is gone. */
async function* heldLog(
  request: { readonly offset?: unknown },
  signal: AbortSignal,
): AsyncGenerator<HeldLogChunk, void> {
  asked.push(request);
  for (let piece = 0; piece < 48 && !signal.aborted; piece += 1)
    yield { offset: piece * 65_536, data: Buffer.alloc(65_536, piece), end: false };
  if (Number(request.offset) % 2 === 0) {
    yield { offset: 48 * 65_536, data: Buffer.alloc(0), end: true };
    return;
  }
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  aborted += 1;
}

async function place(): Promise<void> {
  const [record] = store.view().jobs.values();
  const node = store.view().nodes.get(nodeId("one"));
  if (record === undefined || node === undefined) throw new Error("the job or its node is missing");
  const { id, session, placeable } = node;
  await propose(store, {
    kind: "placeGang",
    at: NOW,
    job: record.id,
    attempt: 1,
    parts: [{ node: id, session, placeable, gpus: [], slots: 1 }],
    launch: { rendezvousPort: 29_400, token: "secret-of-attempt-1" },
  });
}

async function read(
  daemon: "one" | "two",
  request: ReadLogRequest,
): Promise<{
  call: grpc.ClientReadableStream<LogChunk__Output>;
  bytes: () => number;
  status: Promise<grpc.StatusObject>;
}> {
  const api = await daemons.client(addresses[daemon]);
  const call = api.readLog({ jobId: 1, attempt: 0, command: "task-0", offset: 0, ...request });
  let bytes = 0;
  call.on("data", (chunk: LogChunk__Output) => (bytes += chunk.data.length));
  call.on("error", () => {});
  return { call, bytes: () => bytes, status: new Promise((resolve) => call.on("status", resolve)) };
}

describe("a log", () => {
  for (const daemon of ["one", "two"] as const) {
    it(`comes whole through daemon ${daemon}`, async () => {
      await place();
      const log = await read(daemon, { stream: "STDERR" });
      expect((await log.status).code).toBe(grpc.status.OK);
      expect(log.bytes()).toBe(48 * 65_536);
      expect(asked).toMatchObject([{ attempt: 1, command: "task-0", stream: "stderr", follow: false }]);
    });

    it(`that is followed through daemon ${daemon} is let go when its reader leaves`, async () => {
      await place();
      const log = await read(daemon, { offset: 1, follow: true });
      await until(() => log.bytes() === 48 * 65_536);
      log.call.cancel();
      await until(() => aborted === 1);
    });

    it(`is not read ahead of a slow reader through daemon ${daemon}`, async () => {
      await place();
      const log = await read(daemon, {});
      log.call.pause();
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(log.bytes()).toBeLessThan(48 * 65_536);
      log.call.resume();
      expect((await log.status).code).toBe(grpc.status.OK);
      expect(log.bytes()).toBe(48 * 65_536);
    });
  }

  const hostile: readonly [string, ReadLogRequest, grpc.status][] = [
    ["of no job", { jobId: -3 }, grpc.status.NOT_FOUND],
    ["of no attempt", { attempt: 9 }, grpc.status.FAILED_PRECONDITION],
    ["of a negative attempt", { attempt: -1 }, grpc.status.FAILED_PRECONDITION],
    ["of no command", { command: "../../../etc/passwd" }, grpc.status.NOT_FOUND],
    ["before its first byte", { offset: -1 }, grpc.status.INVALID_ARGUMENT],
  ];
  for (const [what, request, code] of hostile) {
    it(`${what} is answered with ${grpc.status[code]}`, async () => {
      await place();
      expect((await (await read("one", request)).status).code).toBe(code);
      expect(asked).toEqual([]);
    });
  }

  it("of a stream that this version does not know is that of stdout", async () => {
    await place();
    const log = await read("one", { stream: 99 as never });
    expect((await log.status).code).toBe(grpc.status.OK);
    expect(asked).toMatchObject([{ stream: "stdout" }]);
  });

  it("of a job without an attempt says so", async () => {
    const log = await read("two", {});
    expect(await log.status).toMatchObject({
      code: grpc.status.FAILED_PRECONDITION,
      details: "job 1 has no attempt yet; its state is queued",
    });
  });
});
