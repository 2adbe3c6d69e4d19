import { status } from "@grpc/grpc-js";
import type { ServerWritableStream } from "@grpc/grpc-js";
import type { Job } from "../../proto/gen/gpumesh/v1/Job.ts";
import type { HeldLogChunk } from "../../proto/gen/gpumesh/v1/HeldLogChunk.ts";
import type { LogChunk } from "../../proto/gen/gpumesh/v1/LogChunk.ts";
import type { ReadHeldLogRequest } from "../../proto/gen/gpumesh/v1/ReadHeldLogRequest.ts";
import type { ReadLogRequest__Output } from "../../proto/gen/gpumesh/v1/ReadLogRequest.ts";
import type { Peers } from "../mesh/peers.ts";
import { CallError } from "./call-error.ts";
import { relay } from "./forward.ts";

/** The logs on this daemon's own disk. Throws CallError when it holds no such log. */
export type HeldLogs = (request: ReadHeldLogRequest, signal: AbortSignal) => AsyncIterable<HeldLogChunk>;

export interface LogSource {
  readonly self: string;
  readonly peers: Peers;
  readonly heldLogs: HeldLogs;
}

type LogCall = ServerWritableStream<ReadLogRequest__Output, LogChunk>;

/** Streams a log from the node that holds it, wherever that is. */
export async function readLog(source: LogSource, job: Job, call: LogCall): Promise<void> {
  const { request } = call;
  if (request.offset < 0)
    throw new CallError(status.INVALID_ARGUMENT, `offset is ${request.offset}; the first byte is 0`);
  const attempt =
    request.attempt === 0
      ? job.attempts?.at(-1)
      : job.attempts?.find((candidate) => candidate.number === request.attempt);
  if (attempt === undefined) {
    const which =
      request.attempt === 0 ? "has no attempt yet" : `has no attempt ${request.attempt} on record`;
    throw new CallError(
      status.FAILED_PRECONDITION,
      `job ${request.jobId} ${which}; its state is ${job.state}`,
    );
  }
  const part = attempt.parts?.find((candidate) => candidate.commands?.includes(request.command));
  if (part?.node === undefined) {
    const commands = attempt.parts?.flatMap((candidate) => candidate.commands ?? []) ?? [];
    const known = commands.length === 0 ? "it started none" : `it has ${commands.slice(0, 20).join(", ")}`;
    throw new CallError(
      status.NOT_FOUND,
      `attempt ${attempt.number} of job ${request.jobId} has no command ${request.command}; ${known}`,
    );
  }
  const held: ReadHeldLogRequest = {
    jobId: request.jobId,
    attempt: attempt.number ?? 0,
    command: request.command,
    stream: request.stream === "STDERR" ? "stderr" : "stdout",
    offset: request.offset,
    follow: request.follow,
  };
  if (part.node === source.self) return copy(source.heldLogs, held, call);
  const line = source.peers.line(part.node);
  if (line === null)
    throw new CallError(status.UNAVAILABLE, `the address of node ${part.node} is not known here`);
  relay(line.peer.readHeldLog(held), call);
}

async function copy(heldLogs: HeldLogs, request: ReadHeldLogRequest, call: LogCall): Promise<void> {
  await writeChunks(heldLogs(request, abortedBy(call)), call);
}

/** Aborts when the caller is gone. */
export function abortedBy<Request, Reply>(call: ServerWritableStream<Request, Reply>): AbortSignal {
  const gone = new AbortController();
  call.on("cancelled", () => gone.abort());
  if (call.cancelled) gone.abort();
  return gone.signal;
}

/** Writes all chunks at the caller's pace, then ends the call. */
export async function writeChunks<Request>(
  chunks: AsyncIterable<HeldLogChunk>,
  call: ServerWritableStream<Request, HeldLogChunk>,
): Promise<void> {
  for await (const chunk of chunks) {
    if (call.cancelled) return;
    if (!call.write(chunk)) await roomIn(call);
  }
  call.end();
}

/** Resolves when the caller has read, or is gone. */
function roomIn<Request>(call: ServerWritableStream<Request, HeldLogChunk>): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.off("drain", done);
      call.off("cancelled", done);
      resolve();
    };
    call.on("drain", done);
    call.on("cancelled", done);
    if (call.cancelled) done();
  });
}
