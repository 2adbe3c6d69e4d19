import { randomUUID } from "node:crypto";
import type { CreateJoinTokenReply__Output } from "../../proto/gen/gpumesh/v1/CreateJoinTokenReply.ts";
import type { Job__Output } from "../../proto/gen/gpumesh/v1/Job.ts";
import type { ListJobsReply__Output } from "../../proto/gen/gpumesh/v1/ListJobsReply.ts";
import type { ListNodesReply__Output } from "../../proto/gen/gpumesh/v1/ListNodesReply.ts";
import type { Mesh__Output } from "../../proto/gen/gpumesh/v1/Mesh.ts";
import type { Node__Output } from "../../proto/gen/gpumesh/v1/Node.ts";
import type { SubmitJobReply__Output } from "../../proto/gen/gpumesh/v1/SubmitJobReply.ts";
import type { SubmitJobsReply__Output } from "../../proto/gen/gpumesh/v1/SubmitJobsReply.ts";
import type { Fault } from "../../scheduler/model/fault.ts";
import { Connection } from "./connection.ts";
import { contextFolder, readContext, type ClientContext } from "./context.ts";
import { readJobLogs, type LogsOptions } from "./job-logs.ts";
import type { LogPiece } from "./log-piece.ts";
import { hasEnded, watchJob } from "./watch-job.ts";

export { ApiError, type ApiErrorCode } from "./api-error.ts";
export {
  addressesOf,
  contextFolder,
  ContextError,
  readContext,
  updateAddresses,
  type ClientContext,
} from "./context.ts";
export type { LogsOptions } from "./job-logs.ts";
export type { LogPiece, LogStreamName } from "./log-piece.ts";
export { MeshUnreachable, type TriedAddress } from "./mesh-unreachable.ts";
export { hasEnded } from "./watch-job.ts";
export type { Fault };
export type { Attempt__Output as Attempt } from "../../proto/gen/gpumesh/v1/Attempt.ts";
export type { AttemptPart__Output as AttemptPart } from "../../proto/gen/gpumesh/v1/AttemptPart.ts";
export type { Gpu__Output as Gpu } from "../../proto/gen/gpumesh/v1/Gpu.ts";

/** The API's messages, as `api.proto` describes them; times are Unix milliseconds. */
export type Job = Job__Output;
export type JobList = ListJobsReply__Output;
export type Node = Node__Output;
export type MeshStatus = Mesh__Output;
export type JoinToken = CreateJoinTokenReply__Output;

export interface ConnectOptions {
  /** A context, or the folder that holds one. Default: `$GPUMESH_CONTEXT`, else `~/.config/gpumesh`. */
  readonly context?: ClientContext | string;
  /** For how long a call is repeated, on all the addresses in turn, before `MeshUnreachable`. Default: 30 s. */
  readonly retryForMs?: number;
  /** Closes the connection when aborted. */
  readonly signal?: AbortSignal;
}

export type Submitted =
  | { readonly kind: "submitted"; readonly jobId: number }
  /** Everything that is wrong with the job file. Nothing was queued. */
  | { readonly kind: "faults"; readonly faults: readonly Fault[] };

/** One job of several that were submitted together. */
export type SubmittedTogether =
  | Submitted
  /** Nothing is wrong with it; it was not queued because of the faults of another one. */
  | { readonly kind: "heldBack" };

/**
 * One mesh, through whichever of its daemons answers. Every method rejects with `ApiError` when the mesh says no, with
 * `MeshUnreachable` when no daemon could carry out the call in time, and with the reason of a signal that was aborted.
 */
export interface Mesh {
  readonly meshId: string;
  /** Queues a job. All its tries carry one request id (8 to 64 of `[A-Za-z0-9-]`), so that it is queued once. */
  submit(jobFile: string, options?: { readonly requestId?: string }): Promise<Submitted>;
  /**
   * Queues several jobs with one call, 1 to 1000 and at most 3 MiB of job files: all of them, or none where one has
   * faults. The answers are in the order of the jobs. Each job's request id is made here, unless it is given.
   */
  submitAll(
    jobs: readonly { readonly jobFile: string; readonly requestId?: string }[],
  ): Promise<readonly SubmittedTogether[]>;
  job(id: number): Promise<Job>;
  /** Newest first, at most `limit` (1000). */
  jobs(options?: { readonly states?: readonly string[]; readonly limit?: number }): Promise<JobList>;
  cancel(id: number, options?: { readonly requestId?: string }): Promise<void>;
  nodes(): Promise<readonly Node[]>;
  status(): Promise<MeshStatus>;
  /** @param options.validMs 0 or left out: one hour; at most 7 days */
  createJoinToken(options?: { readonly validMs?: number; readonly requestId?: string }): Promise<JoinToken>;
  /** The job now and after each change, over changes of leader, until it has ended. States may be skipped. */
  watch(id: number, options?: { readonly signal?: AbortSignal }): AsyncIterable<Job>;
  /** The job once it has ended. */
  wait(id: number, options?: { readonly signal?: AbortSignal }): Promise<Job>;
  /**
   * The bytes of the job's logs: of each command and stream every byte once and in order, whatever breaks meanwhile.
   * With `follow` it goes on with the next attempt when the job is tried again, and ends when the job has ended and all
   * its logs are complete. A log that went with its node gives one `lost` piece.
   */
  logs(id: number, options?: LogsOptions): AsyncIterable<LogPiece>;
  close(): void;
}

const retryForMsDefault = 30_000;

/** Reads the context and makes a client of its mesh; the first call connects. Rejects with `ContextError`. */
export async function connectMesh(options: ConnectOptions = {}): Promise<Mesh> {
  const { context, retryForMs = retryForMsDefault, signal } = options;
  const found =
    typeof context === "object" ? context : await readContext(contextFolder(context, process.env));
  const connection = new Connection(found, retryForMs, signal);
  const read = { repeatable: true } as const;

  const job = (jobId: number): Promise<Job> =>
    connection.unary<Job>((api, call, done) => api.getJob({ jobId }, call, done), read);

  const watch = (id: number, signal?: AbortSignal): AsyncIterable<Job> =>
    watchJob(connection, id, connection.signalWith(signal));

  return {
    meshId: found.meshId,
    job,
    async submit(jobFile, { requestId = randomUUID() } = {}) {
      const request = { requestId, jobFile };
      const reply = await connection.unary<SubmitJobReply__Output>(
        (api, call, done) => api.submitJob(request, call, done),
        read,
      );
      return submitted(reply);
    },
    async submitAll(jobs) {
      const request = {
        jobs: jobs.map(({ jobFile, requestId = randomUUID() }) => ({ jobFile, requestId })),
      };
      const reply = await connection.unary<SubmitJobsReply__Output>(
        (api, call, done) => api.submitJobs(request, call, done),
        read,
      );
      return reply.jobs.map((job) =>
        job.jobId === 0 && job.faults.length === 0 ? { kind: "heldBack" } : submitted(job),
      );
    },
    jobs({ states = [], limit = 0 } = {}) {
      const request = { states: [...states], limit };
      return connection.unary<JobList>((api, call, done) => api.listJobs(request, call, done), read);
    },
    async cancel(id, { requestId = randomUUID() } = {}) {
      const request = { jobId: id, requestId };
      await connection.unary((api, call, done) => api.cancelJob(request, call, done), read);
    },
    async nodes() {
      const reply = await connection.unary<ListNodesReply__Output>(
        (api, call, done) => api.listNodes({}, call, done),
        read,
      );
      return reply.nodes;
    },
    status: () => connection.unary<MeshStatus>((api, call, done) => api.getMesh({}, call, done), read),
    createJoinToken({ validMs = 0, requestId = randomUUID() } = {}) {
      const request = { validMs, requestId };
      return connection.unary<JoinToken>((api, call, done) => api.createJoinToken(request, call, done), read);
    },
    watch: (id, { signal } = {}) => watch(id, signal),
    async wait(id, { signal } = {}) {
      for await (const current of watch(id, signal)) if (hasEnded(current)) return current;
      throw new Error(`the watch of job ${id} ended before the job`);
    },
    logs: (id, options = {}) => readJobLogs(connection, () => job(id), id, options),
    close: () => connection.close(),
  };
}

function submitted({ jobId, faults }: SubmitJobReply__Output): Submitted {
  return faults.length > 0 ? { kind: "faults", faults } : { kind: "submitted", jobId };
}
