import { status } from "@grpc/grpc-js";
import type { ServerWritableStream } from "@grpc/grpc-js";
import type { JobRecord } from "../../scheduler/model/job.ts";
import { isTerminal } from "../../scheduler/model/job.ts";
import type { GetJobRequest__Output } from "../../proto/gen/gpumesh/v1/GetJobRequest.ts";
import type { Job } from "../../proto/gen/gpumesh/v1/Job.ts";
import type { ApiContext } from "./api-context.ts";
import { freshStore } from "./api-context.ts";
import { callErrorOf, CallError } from "./call-error.ts";
import { findJob } from "./job-calls.ts";
import { presentJob } from "./present-job.ts";

/**
 * Sends the job at once and after each change of it, until it has ended or the leadership has. A reader that is slow
 * misses states between, so that no more wait for it than one stream buffers.
 */
export async function watchJob(
  context: ApiContext,
  call: ServerWritableStream<GetJobRequest__Output, Job>,
): Promise<void> {
  const store = await freshStore(context);
  let last: JobRecord | null = null;
  let lastReason: string | undefined = "";
  let full = false;
  const look = (): void => {
    const record = findJob(store, call.request.jobId);
    const ended = isTerminal(record.state);
    if (full && !ended) return;
    const job = presentJob(store.view(), record);
    if (record !== last || job.reason !== lastReason) full = !call.write(job);
    last = record;
    lastReason = job.reason;
    if (!ended) return;
    stop();
    call.end();
  };
  const lookOrFail = (): void => {
    try {
      look();
    } catch (error) {
      fail(error);
    }
  };
  const drained = (): void => {
    full = false;
    lookOrFail();
  };
  const fail = (error: unknown): void => {
    stop();
    call.emit("error", callErrorOf(error));
  };
  const deposed = (): void => fail(new CallError(status.UNAVAILABLE, "the leader changed; ask again"));
  const unwatch = store.watch(lookOrFail);
  const unfollow = store.onLeadership(({ leads }) => (leads ? undefined : deposed()));
  const stop = (): void => {
    unwatch();
    unfollow();
    call.off("drain", drained);
  };
  call.on("drain", drained);
  call.on("cancelled", stop);
  if (call.cancelled) return stop();
  if (store.leadership().leads) lookOrFail();
  else deposed();
}
