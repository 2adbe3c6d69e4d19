import type { Job__Output as Job } from "../../proto/gen/gpumesh/v1/Job.ts";
import type { LogChunk__Output as LogChunk } from "../../proto/gen/gpumesh/v1/LogChunk.ts";
import { ApiError } from "./api-error.ts";
import { BrokenCall } from "./broken-call.ts";
import type { LogPiece, LogStreamName } from "./log-piece.ts";
import { backoffMs, pause } from "./pause.ts";
import { hasEnded } from "./watch-job.ts";

/** One stream of one command of one attempt. */
export interface LogTarget {
  readonly attempt: number;
  readonly command: string;
  readonly stream: LogStreamName;
  /** The node that holds it. */
  readonly node: string;
}

/** Where logs and the job's state come from. */
export interface LogSource {
  readonly retryForMs: number;
  /** Chunks from an offset on. Throws `BrokenCall` where it may be opened again. */
  open(target: LogTarget, offset: number, follow: boolean): AsyncIterable<LogChunk>;
  /** The job now. Rejects with `MeshUnreachable` when the mesh as a whole does not answer. */
  job(): Promise<Job>;
}

export interface ReadOptions {
  readonly follow: boolean;
  /** The attempt was over before this began. */
  readonly over: boolean;
  readonly signal: AbortSignal;
}

/** A log of an attempt that is over is given up after it could not be read for so long. */
const lostAfterMs = 10_000;

/**
 * Reads one log to its end: each byte once, in order, however often the stream breaks. While an attempt goes on, a log
 * whose node is out of touch is waited for; once the attempt is over, or without `follow`, it is given up with a `lost`
 * piece. Without `follow` it ends with the bytes that are there.
 */
export async function* readLog(
  source: LogSource,
  target: LogTarget,
  options: ReadOptions,
): AsyncGenerator<LogPiece, void> {
  let offset = 0;
  let { over } = options;
  let failures = 0;
  let failingSince: number | null = null;
  for (;;) {
    let trouble: Trouble;
    const begin = offset;
    try {
      for await (const chunk of source.open(target, offset, options.follow)) {
        failures = 0;
        failingSince = null;
        const data = unseen(chunk, offset, target);
        if (data.length > 0) {
          const { attempt, command, stream } = target;
          yield { kind: "data", attempt, command, stream, offset, data };
          offset += data.length;
        }
        if (chunk.end) return;
      }
      // The stream ended well, without a word that the log is complete: a daemon that stops does that, too. Nothing
      // more can come where the attempt was over before, and nothing came.
      if (!options.follow || (over && offset === begin)) return;
      trouble = { kind: "pending" };
    } catch (error) {
      trouble = troubleOf(error);
    }
    failingSince = trouble.kind === "pending" ? null : (failingSince ?? performance.now());
    const failingMs = failingSince === null ? 0 : performance.now() - failingSince;
    if (trouble.kind !== "pending" && givesUp(trouble, failingMs, over, options.follow, source.retryForMs)) {
      yield lost(target, trouble);
      return;
    }
    if (trouble.kind === "broken" && trouble.defect !== null && failingMs >= source.retryForMs)
      throw trouble.defect;
    over = isOver(await source.job(), target.attempt);
    await pause(backoffMs(failures++), options.signal);
  }
}

/** Why a log has not been read to its end yet. */
type Trouble =
  | { readonly kind: "pending" }
  /** The node says that it holds no such log: not yet, or not any more. */
  | { readonly kind: "absent"; readonly reason: string }
  | {
      readonly kind: "broken";
      readonly reason: string;
      /** What a daemon failed with by itself, which waiting for a node does not mend; else null. */
      readonly defect: ApiError | null;
    };

type Failing = Exclude<Trouble, { kind: "pending" }>;

function troubleOf(error: unknown): Failing {
  if (error instanceof BrokenCall) {
    const defect = error.code === "INTERNAL" ? error.toApiError() : null;
    return { kind: "broken", reason: error.fault.error, defect };
  }
  if (error instanceof ApiError && error.code === "NOT_FOUND")
    return { kind: "absent", reason: error.message };
  throw error;
}

function givesUp(
  trouble: Failing,
  failingMs: number,
  over: boolean,
  follow: boolean,
  retryForMs: number,
): boolean {
  switch (trouble.kind) {
    case "absent":
      return over || !follow;
    case "broken":
      if (over) return failingMs >= Math.min(lostAfterMs, retryForMs);
      return !follow && failingMs >= retryForMs;
  }
}

function lost(target: LogTarget, trouble: Failing): LogPiece {
  return { kind: "lost", ...target, reason: trouble.reason };
}

/** The bytes of a chunk from `offset` on; a chunk that begins later would hide a gap. */
function unseen(chunk: LogChunk, offset: number, target: LogTarget): Uint8Array {
  if (chunk.offset > offset && chunk.data.length > 0) {
    const { command, stream, node } = target;
    throw new ApiError(
      "DATA_LOSS",
      `node ${node} sent ${stream} of ${command} from byte ${chunk.offset} where ${offset} comes next; see its daemon's log`,
    );
  }
  return chunk.data.subarray(Math.max(0, offset - chunk.offset));
}

/** True when nothing of the attempt can be written any more. */
export function isOver(job: Job, attempt: number): boolean {
  const record = job.attempts.find(({ number }) => number === attempt);
  return hasEnded(job) || record === undefined || record.outcome !== "";
}
