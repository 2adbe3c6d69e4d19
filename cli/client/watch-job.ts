import type { Job__Output as Job } from "../../proto/gen/gpumesh/v1/Job.ts";
import { BrokenCall } from "./broken-call.ts";
import type { Connection } from "./connection.ts";
import { Retrying } from "./retrying.ts";

const TERMINAL_STATES: ReadonlySet<string> = new Set(["succeeded", "failed", "cancelled"]);

/** True for a job that can never run again. */
export function hasEnded(job: Pick<Job, "state">): boolean {
  return TERMINAL_STATES.has(job.state);
}

/**
 * The job now and after each change, over any number of broken streams, until it has ended. What was yielded already
 * is not yielded again when a stream is opened anew.
 */
export async function* watchJob(
  connection: Connection,
  jobId: number,
  signal: AbortSignal,
): AsyncGenerator<Job, void> {
  const retrying = new Retrying(connection, signal);
  let last = "";
  for (;;) {
    const { address } = connection;
    let broken: BrokenCall;
    try {
      for await (const job of connection.stream((api, options) => api.watchJob({ jobId }, options), signal)) {
        retrying.succeeded();
        const text = JSON.stringify(job);
        if (text !== last) yield job;
        last = text;
        if (hasEnded(job)) return;
      }
      broken = new BrokenCall("UNAVAILABLE", "the daemon ended the stream before the job ended");
    } catch (error) {
      if (!(error instanceof BrokenCall)) throw error;
      broken = error;
    }
    await retrying.after(address, broken);
  }
}
