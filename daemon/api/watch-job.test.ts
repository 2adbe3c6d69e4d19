import { Writable } from "node:stream";
import type { ServerWritableStream } from "@grpc/grpc-js";
import { beforeEach, describe, expect, it } from "vitest";
import type { GetJobRequest__Output } from "../../proto/gen/gpumesh/v1/GetJobRequest.ts";
import type { Job } from "../../proto/gen/gpumesh/v1/Job.ts";
import { jobId, nodeId } from "../../scheduler/model/ids.ts";
import { activeAttempt } from "../../scheduler/model/job.ts";
import type { MemoryStore } from "../store/memory-store.ts";
import { contextOf, JOB_FILE, NOW, propose, storeOfMesh, until } from "./api.fixture.ts";
import { submitJob } from "./submit-calls.ts";
import { watchJob } from "./watch-job.ts";

/** A caller that reads one message each time the test says so. */
class SlowCall extends Writable {
  readonly states: (string | undefined)[] = [];
  readonly request = { jobId: 1 };
  cancelled = false;
  #read: () => void = () => {};

  constructor() {
    super({ objectMode: true, highWaterMark: 1 });
  }

  override _write(job: Job, _encoding: string, done: () => void): void {
    this.states.push(job.state);
    this.#read = done;
  }

  read(): void {
    this.#read();
  }
}

let store: MemoryStore;
let call: SlowCall;

beforeEach(async () => {
  store = await storeOfMesh();
  await submitJob(contextOf(store), { requestId: "request-1", jobFile: JOB_FILE }, "alice");
  call = new SlowCall();
  // What a watch uses of a call is that of a stream, its request and whether it was cancelled.
  await watchJob(contextOf(store), call as unknown as ServerWritableStream<GetJobRequest__Output, Job>);
  expect(call.states).toEqual(["queued"]);
});

async function place(): Promise<void> {
  const node = store.view().nodes.get(nodeId("one"));
  if (node === undefined) throw new Error("the node is missing");
  const { id, session, placeable } = node;
  await propose(store, {
    kind: "placeGang",
    at: NOW,
    job: jobId(1),
    attempt: 1,
    parts: [{ node: id, session, placeable, gpus: [], slots: 1 }],
    launch: { rendezvousPort: 29_400, token: "secret-of-attempt-1" },
  });
}

async function cancel(): Promise<void> {
  await propose(store, { kind: "cancelJob", at: NOW, requestId: "cancel-1", job: jobId(1), by: "alice" });
}

async function stopped(): Promise<void> {
  const job = store.view().jobs.get(jobId(1));
  const attempt = job === undefined ? null : activeAttempt(job);
  if (attempt === null) throw new Error("the job has no attempt");
  await propose(store, {
    kind: "reportPart",
    at: NOW,
    job: jobId(1),
    attempt: 1,
    fence: attempt.fence,
    node: nodeId("one"),
    report: { kind: "stopped", exits: [] },
  });
}

describe("a watch of a slow reader", () => {
  it("shows the newest state once the reader has read", async () => {
    await place();
    await cancel();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(call.states).toEqual(["queued"]);
    call.read();
    await until(() => call.states.length === 2);
    expect(call.states).toEqual(["queued", "terminating"]);
  });

  it("never skips the last state", async () => {
    await place();
    await cancel();
    await stopped();
    await until(() => call.writableEnded);
    call.read();
    await until(() => call.states.length === 2);
    expect(call.states).toEqual(["queued", "cancelled"]);
  });
});
