import { status } from "@grpc/grpc-js";
import { jobId } from "../../scheduler/model/ids.ts";
import type { JobRecord } from "../../scheduler/model/job.ts";
import type { CancelJobReply } from "../../proto/gen/gpumesh/v1/CancelJobReply.ts";
import type { CancelJobRequest__Output } from "../../proto/gen/gpumesh/v1/CancelJobRequest.ts";
import type { GetJobRequest__Output } from "../../proto/gen/gpumesh/v1/GetJobRequest.ts";
import type { Job } from "../../proto/gen/gpumesh/v1/Job.ts";
import type { ListJobsReply } from "../../proto/gen/gpumesh/v1/ListJobsReply.ts";
import type { ListJobsRequest__Output } from "../../proto/gen/gpumesh/v1/ListJobsRequest.ts";
import type { Store } from "../store/store.ts";
import type { ApiContext } from "./api-context.ts";
import { checkRequestId, freshStore, resultOf, storeOf } from "./api-context.ts";
import { CallError } from "./call-error.ts";
import { presentJob } from "./present-job.ts";

const JOBS_LISTED_MAX = 1_000;
/** Of the listed jobs as JSON, which is longer than their message; well below `messageBytesMax` of the mesh. */
const LIST_BYTES_MAX = 3 * 1024 * 1024;

export async function cancelJob(
  context: ApiContext,
  request: CancelJobRequest__Output,
  user: string,
): Promise<CancelJobReply> {
  const { requestId } = request;
  checkRequestId(requestId);
  const job = jobId(request.jobId);
  const command = { kind: "cancelJob", at: context.now(), requestId, job, by: user } as const;
  await resultOf(storeOf(context).propose(command));
  return {};
}

export async function getJob(context: ApiContext, request: GetJobRequest__Output): Promise<Job> {
  const store = await freshStore(context);
  return presentJob(store.view(), findJob(store, request.jobId));
}

/** The newest jobs, as many as are asked for and fit into one reply. Why a job waits is told without its nodes. */
export async function listJobs(
  context: ApiContext,
  request: ListJobsRequest__Output,
): Promise<ListJobsReply> {
  const view = (await freshStore(context)).view();
  const limit = Math.min(request.limit > 0 ? request.limit : JOBS_LISTED_MAX, JOBS_LISTED_MAX);
  const states = new Set(request.states);
  const jobs: Job[] = [];
  let bytes = 0;
  for (const record of [...view.jobs.values()].toReversed()) {
    if (states.size > 0 && !states.has(record.state.kind)) continue;
    if (jobs.length === limit) return { jobs, truncated: true };
    const job = presentJob(view, record);
    const listed: Job = { ...job, wait: job.wait ? { ...job.wait, nodes: [] } : null };
    bytes += Buffer.byteLength(JSON.stringify(listed));
    if (bytes > LIST_BYTES_MAX && jobs.length > 0) return { jobs, truncated: true };
    jobs.push(listed);
  }
  return { jobs, truncated: false };
}

/** Throws a CallError where there is no such job. */
export function findJob(store: Store, id: number): JobRecord {
  const job = store.view().jobs.get(jobId(id));
  if (job === undefined) {
    const newest = store.view().jobs.size;
    const range = newest === 0 ? "no job was submitted yet" : `the newest is ${newest}`;
    throw new CallError(status.NOT_FOUND, `there is no job ${id}; ${range}`);
  }
  return job;
}
