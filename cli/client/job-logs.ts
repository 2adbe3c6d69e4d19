import type { Attempt__Output as Attempt } from "../../proto/gen/gpumesh/v1/Attempt.ts";
import type { Job__Output as Job } from "../../proto/gen/gpumesh/v1/Job.ts";
import { ApiError } from "./api-error.ts";
import type { Connection } from "./connection.ts";
import type { LogPiece, LogStreamName } from "./log-piece.ts";
import { merge } from "./merge.ts";
import { isOver, readLog, type LogSource, type LogTarget } from "./read-log.ts";
import { hasEnded, watchJob } from "./watch-job.ts";

export interface LogsOptions {
  /** Go on until the job has ended, over all its attempts. Default: end with what is there now. */
  readonly follow?: boolean;
  /** Only this attempt. Default: the newest that started; with `follow` also all after it. */
  readonly attempt?: number;
  /** Only these commands, e.g. `["task-0"]`. Default: all of the attempt. */
  readonly commands?: readonly string[];
  /** Default: both. */
  readonly stream?: LogStreamName | "both";
  readonly signal?: AbortSignal;
}

/** Logs that are read at the same time; with more, the others are read when the first ones are complete. */
const logsOpenMax = 256;

/** The job's logs as they come. See `Mesh.logs`. */
export async function* readJobLogs(
  connection: Connection,
  getJob: () => Promise<Job>,
  jobId: number,
  options: LogsOptions,
): AsyncGenerator<LogPiece, void> {
  const outer = connection.signalWith(options.signal);
  const read = (job: Job, attempt: Attempt): AsyncGenerator<LogPiece, void> =>
    readAttempt({ connection, getJob, options, outer }, job, attempt);

  if (options.follow !== true) {
    const job = await getJob();
    yield* read(job, chosenAttempt(job, options.attempt));
    return;
  }
  let next = options.attempt;
  for await (const job of watchJob(connection, jobId, outer)) {
    // Without a choice, the newest of the attempts that started by now is the first to be read.
    next ??= job.attempts.findLast(hasStarted)?.number;
    for (const attempt of job.attempts) {
      if (next === undefined || attempt.number < next || !hasStarted(attempt)) continue;
      yield* read(job, attempt);
      if (options.attempt !== undefined) return;
      next = attempt.number + 1;
    }
    if (options.attempt !== undefined && neverStarts(job, options.attempt))
      chosenAttempt(job, options.attempt);
  }
}

interface Reading {
  readonly connection: Connection;
  readonly getJob: () => Promise<Job>;
  readonly options: LogsOptions;
  readonly outer: AbortSignal;
}

async function* readAttempt(
  { connection, getJob, options, outer }: Reading,
  job: Job,
  attempt: Attempt,
): AsyncGenerator<LogPiece, void> {
  const follow = options.follow === true;
  const over = isOver(job, attempt.number);
  const sources = targetsOf(job, attempt, options).map((target) => (signal: AbortSignal) => {
    const source: LogSource = {
      retryForMs: connection.retryForMs,
      job: getJob,
      open: (_, offset, following) => openLog(connection, job.id, target, offset, following, signal),
    };
    return readLog(source, target, { follow, over, signal });
  });
  yield* merge(sources, logsOpenMax, outer);
}

/** Opens the log on the current daemon; where that fails, the next try is on another. */
async function* openLog(
  connection: Connection,
  jobId: number,
  target: LogTarget,
  offset: number,
  follow: boolean,
  signal: AbortSignal,
) {
  const { attempt, command } = target;
  const stream = target.stream === "stdout" ? "STDOUT" : "STDERR";
  const request = { jobId, attempt, command, stream, offset, follow } as const;
  const { address } = connection;
  let finished = false;
  try {
    yield* connection.stream((api, options) => api.readLog(request, options), signal);
    finished = true;
  } finally {
    if (!finished && !signal.aborted) connection.moveOnFrom(address);
  }
}

function targetsOf(job: Job, attempt: Attempt, options: LogsOptions): readonly LogTarget[] {
  const streams = options.stream === undefined || options.stream === "both" ? BOTH : [options.stream];
  const all = attempt.parts.flatMap(({ node, commands }) => commands.map((command) => ({ node, command })));
  const unknown = options.commands?.find((name) => !all.some(({ command }) => command === name));
  if (unknown !== undefined) {
    const known = all.map(({ command }) => command);
    const listed = known.slice(0, 20).join(", ") + (known.length > 20 ? ", ..." : "");
    throw new ApiError(
      "NOT_FOUND",
      `attempt ${attempt.number} of job ${job.id} has no command ${unknown}; it has ${listed || "none"}`,
    );
  }
  return all
    .filter(({ command }) => options.commands?.includes(command) ?? true)
    .flatMap(({ node, command }) =>
      streams.map((stream) => ({ attempt: attempt.number, command, stream, node })),
    );
}

const BOTH = ["stdout", "stderr"] as const;

function chosenAttempt(job: Job, number: number | undefined): Attempt {
  const attempt =
    number === undefined
      ? job.attempts.findLast(hasStarted)
      : job.attempts.find((candidate) => candidate.number === number);
  if (attempt !== undefined && hasStarted(attempt)) return attempt;
  const started = job.attempts.filter(hasStarted).map((candidate) => candidate.number);
  const which =
    number === undefined ? "has no attempt that started" : `has no attempt ${number} that started`;
  const known = started.length === 0 ? "" : `; these did: ${started.join(", ")}`;
  const why = job.reason === "" ? "" : `: ${job.reason}`;
  throw new ApiError("FAILED_PRECONDITION", `job ${job.id} ${which}${known}; it is ${job.state}${why}`);
}

function hasStarted(attempt: Attempt): boolean {
  return attempt.startedAtMs > 0;
}

/** True when the attempt will not start any more. */
function neverStarts(job: Job, number: number): boolean {
  const newest = job.attempts.at(-1)?.number ?? 0;
  return (
    hasEnded(job) ||
    newest > number ||
    job.attempts.some((known) => known.number === number && known.outcome !== "")
  );
}
