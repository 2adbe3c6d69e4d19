import { status } from "@grpc/grpc-js";
import type { ServerWritableStream } from "@grpc/grpc-js";
import { jobId } from "../../scheduler/model/ids.ts";
import type { ApplyResult, RefusalCode } from "../../scheduler/model/command.ts";
import type { Fault } from "../../scheduler/model/fault.ts";
import type { JobRecord } from "../../scheduler/model/job.ts";
import { isTerminal } from "../../scheduler/model/job.ts";
import { feasibility } from "../../scheduler/explain/feasibility.ts";
import { parseJobFile } from "../../scheduler/jobfile/parse-job-file.ts";
import { toJobSpec } from "../../scheduler/jobfile/to-job-spec.ts";
import type { CancelJobReply } from "../../proto/gen/gpumesh/v1/CancelJobReply.ts";
import type { CancelJobRequest__Output } from "../../proto/gen/gpumesh/v1/CancelJobRequest.ts";
import type { CreateJoinTokenReply } from "../../proto/gen/gpumesh/v1/CreateJoinTokenReply.ts";
import type { CreateJoinTokenRequest__Output } from "../../proto/gen/gpumesh/v1/CreateJoinTokenRequest.ts";
import type { GetJobRequest__Output } from "../../proto/gen/gpumesh/v1/GetJobRequest.ts";
import type { GetMeshRequest__Output } from "../../proto/gen/gpumesh/v1/GetMeshRequest.ts";
import type { Job } from "../../proto/gen/gpumesh/v1/Job.ts";
import type { ListJobsReply } from "../../proto/gen/gpumesh/v1/ListJobsReply.ts";
import type { ListJobsRequest__Output } from "../../proto/gen/gpumesh/v1/ListJobsRequest.ts";
import type { ListNodesReply } from "../../proto/gen/gpumesh/v1/ListNodesReply.ts";
import type { ListNodesRequest__Output } from "../../proto/gen/gpumesh/v1/ListNodesRequest.ts";
import type { Mesh } from "../../proto/gen/gpumesh/v1/Mesh.ts";
import type { SubmitJobReply } from "../../proto/gen/gpumesh/v1/SubmitJobReply.ts";
import type { SubmitJobRequest__Output } from "../../proto/gen/gpumesh/v1/SubmitJobRequest.ts";
import type { Directory } from "../mesh/directory.ts";
import type { Peers } from "../mesh/peers.ts";
import type { Store } from "../store/store.ts";
import { StoreError } from "../store/store.ts";
import { CallError } from "./call-error.ts";
import { presentJob } from "./present-job.ts";
import type { Consensus } from "./present-mesh.ts";
import { presentMesh, presentNode } from "./present-mesh.ts";

const JOBS_LISTED_MAX = 1_000;
const TOKEN_VALID_DEFAULT_MS = 3_600_000;
const TOKEN_VALID_MAX_MS = 7 * 24 * 3_600_000;
const REQUEST_ID = /^[A-Za-z0-9-]{8,64}$/;

export interface ApiContext {
  /** The replicated state; null on a daemon that is no member of raft. */
  readonly store: () => Store | null;
  readonly directory: Directory;
  readonly peers: Peers;
  readonly now: () => number;
  readonly version: string;
  /** Makes a token and the record that goes with it. */
  readonly newJoinToken: () => { readonly id: string; readonly secretHash: string; readonly token: string };
}

export async function submitJob(
  context: ApiContext,
  request: SubmitJobRequest__Output,
  user: string,
): Promise<SubmitJobReply> {
  if (!REQUEST_ID.test(request.requestId))
    throw new CallError(
      status.INVALID_ARGUMENT,
      "request_id must be 8 to 64 characters of A-Z, a-z, 0-9 and '-'",
    );
  const parsed = parseJobFile(request.jobFile);
  if (parsed.kind === "faults") return { jobId: 0, faults: [...parsed.faults] };
  if (parsed.notSupportedYet.length > 0) {
    const faults = parsed.notSupportedYet.map(({ path, reason }): Fault => {
      return { path, found: reason, allowed: "nothing: leave it out" };
    });
    return { jobId: 0, faults };
  }
  const spec = toJobSpec(parsed.job);
  const store = storeOf(context);
  const known = store.view().jobByRequest(request.requestId);
  if (known === null) {
    const faults = feasibility(store.view(), spec);
    if (faults.length > 0) return { jobId: 0, faults };
  }
  const { requestId } = request;
  const command = { kind: "submitJob", at: context.now(), requestId, spec, submittedBy: user } as const;
  const result = await resultOf(store.propose(command));
  if (result.kind !== "job") throw new CallError(status.INTERNAL, `unexpected result ${result.kind}`);
  return { jobId: result.job, faults: [] };
}

export async function cancelJob(
  context: ApiContext,
  request: CancelJobRequest__Output,
  user: string,
): Promise<CancelJobReply> {
  const command = { kind: "cancelJob", at: context.now(), job: jobId(request.jobId), by: user } as const;
  await resultOf(storeOf(context).propose(command));
  return {};
}

export async function getJob(context: ApiContext, request: GetJobRequest__Output): Promise<Job> {
  const store = await freshStore(context);
  return presentJob(store.view(), findJob(store, request.jobId));
}

export async function listJobs(
  context: ApiContext,
  request: ListJobsRequest__Output,
): Promise<ListJobsReply> {
  const store = await freshStore(context);
  const limit = Math.min(request.limit > 0 ? request.limit : JOBS_LISTED_MAX, JOBS_LISTED_MAX);
  const states = new Set(request.states);
  const wanted: JobRecord[] = [];
  const newestFirst = [...store.view().jobs.values()].toReversed();
  let truncated = false;
  for (const job of newestFirst) {
    if (states.size > 0 && !states.has(job.state.kind)) continue;
    truncated = wanted.length === limit;
    if (truncated) break;
    wanted.push(job);
  }
  return { jobs: wanted.map((job) => presentJob(store.view(), job)), truncated };
}

/** Sends the job at once and after each change of it, until it has ended or the leadership has. */
export function watchJob(context: ApiContext, call: ServerWritableStream<GetJobRequest__Output, Job>): void {
  const store = storeOf(context);
  let last: JobRecord | null = null;
  let lastReason: string | undefined = "";
  const stops: (() => void)[] = [];
  const stop = (): void => {
    for (const undo of stops.splice(0)) undo();
  };
  const look = (): void => {
    const record = findJob(store, call.request.jobId);
    const job = presentJob(store.view(), record);
    if (record !== last || job.reason !== lastReason) call.write(job);
    last = record;
    lastReason = job.reason;
    if (!isTerminal(record.state)) return;
    stop();
    call.end();
  };
  const fail = (error: unknown): void => {
    stop();
    call.emit("error", error);
  };
  call.on("cancelled", stop);
  const begin = async (): Promise<void> => {
    await freshStore(context);
    stops.push(store.watch(look));
    stops.push(
      store.onLeadership((leadership) => {
        if (!leadership.leads) fail(new CallError(status.UNAVAILABLE, "the leader changed; ask again"));
      }),
    );
    look();
    if (call.cancelled) stop();
  };
  begin().catch(fail);
}

export async function listNodes(
  context: ApiContext,
  _request: ListNodesRequest__Output,
): Promise<ListNodesReply> {
  const view = (await freshStore(context)).view();
  const nodes = [...view.nodes.values()].toSorted((a, b) => a.number - b.number);
  return { nodes: nodes.map((node) => presentNode(view, node, consensusOf(context))) };
}

export async function getMesh(context: ApiContext, _request: GetMeshRequest__Output): Promise<Mesh> {
  const view = (await freshStore(context)).view();
  return presentMesh(view, consensusOf(context), context.version);
}

export async function createJoinToken(
  context: ApiContext,
  request: CreateJoinTokenRequest__Output,
): Promise<CreateJoinTokenReply> {
  const validMs = request.validMs === 0 ? TOKEN_VALID_DEFAULT_MS : request.validMs;
  if (validMs < 0 || validMs > TOKEN_VALID_MAX_MS)
    throw new CallError(status.INVALID_ARGUMENT, `valid_ms must be at most ${TOKEN_VALID_MAX_MS} (7 days)`);
  const { id, secretHash, token } = context.newJoinToken();
  const at = context.now();
  const expiresAt = at + validMs;
  const command = { kind: "addJoinToken", at, id, secretHash, expiresAt } as const;
  await resultOf(storeOf(context).propose(command));
  return { token, expiresAtMs: expiresAt };
}

function consensusOf(context: ApiContext): Consensus {
  const { leader, term } = storeOf(context).leadership();
  const members = context.directory.members();
  return { leader: members.find((member) => member.number === leader)?.name ?? "", term, members };
}

function storeOf(context: ApiContext): Store {
  const store = context.store();
  if (store === null) throw new CallError(status.UNAVAILABLE, "this daemon holds no state; ask another");
  return store;
}

/** The store after a confirmed round: its view shows everything acknowledged before the call. */
async function freshStore(context: ApiContext): Promise<Store> {
  const store = storeOf(context);
  await settled(store.readBarrier());
  return store;
}

function findJob(store: Store, id: number): JobRecord {
  const job = store.view().jobs.get(jobId(id));
  if (job === undefined) {
    const newest = store.view().jobs.size;
    const range = newest === 0 ? "no job was submitted yet" : `the newest is ${newest}`;
    throw new CallError(status.NOT_FOUND, `there is no job ${id}; ${range}`);
  }
  return job;
}

/** What a command gave; a refusal, or a store that can not take it, is thrown as a CallError. */
export async function resultOf(
  work: Promise<ApplyResult>,
): Promise<Exclude<ApplyResult, { kind: "refused" }>> {
  const result = await settled(work);
  if (result.kind === "refused") throw new CallError(REFUSAL_STATUS[result.code], result.reason);
  return result;
}

async function settled<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const code = error.code === "too-large" ? status.INVALID_ARGUMENT : status.UNAVAILABLE;
    throw new CallError(code, error.message);
  }
}

const REFUSAL_STATUS: Readonly<Record<RefusalCode, status>> = {
  stale: status.ABORTED,
  "not-found": status.NOT_FOUND,
  "already-exists": status.ALREADY_EXISTS,
  "not-permitted": status.PERMISSION_DENIED,
  impossible: status.FAILED_PRECONDITION,
};
