import { setImmediate as nextTurn } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { feasibility } from "../../scheduler/explain/feasibility.ts";
import { parseJobFile } from "../../scheduler/jobfile/parse-job-file.ts";
import { toJobSpec } from "../../scheduler/jobfile/to-job-spec.ts";
import type { Fault } from "../../scheduler/model/fault.ts";
import type { JobId } from "../../scheduler/model/ids.ts";
import type { JobSpec } from "../../scheduler/model/job.ts";
import type { SubmitJobReply } from "../../proto/gen/gpumesh/v1/SubmitJobReply.ts";
import type { SubmitJobRequest__Output } from "../../proto/gen/gpumesh/v1/SubmitJobRequest.ts";
import type { SubmitJobsReply } from "../../proto/gen/gpumesh/v1/SubmitJobsReply.ts";
import type { SubmitJobsRequest__Output } from "../../proto/gen/gpumesh/v1/SubmitJobsRequest.ts";
import type { Store } from "../store/store.ts";
import type { ApiContext } from "./api-context.ts";
import { checkRequestId, freshStore, resultOf, storeOf } from "./api-context.ts";
import { CallError } from "./call-error.ts";

const BATCH_JOBS_MAX = 1_000;
/** Of job files in UTF-8; with the rest of the message below `messageBytesMax` of the mesh. */
const BATCH_BYTES_MAX = 3 * 1024 * 1024;
/** So much text is parsed in a few milliseconds; then the daemon's other work has its turn. */
const PARSED_BYTES_PER_TURN = 8 * 1024;
/** A node that was admitted so lately may yet register, with what a job needs. */
const REGISTRATION_MS_MAX = 60_000;

export async function submitJob(
  context: ApiContext,
  request: SubmitJobRequest__Output,
  user: string,
): Promise<SubmitJobReply> {
  checkRequestId(request.requestId);
  const [judged] = await judge(context, [parse(request)]);
  if (judged?.kind !== "job") return { jobId: 0, faults: [...(judged?.faults ?? [])] };
  return { jobId: await queue(context, judged, user), faults: [] };
}

/**
 * All or none as far as their faults go; each by itself in the log. The proposals are made in one turn, so they share
 * their entries' way through the log. A change of leader may let some through and not others: then the call fails, and
 * when it is repeated, the request ids tell those that are queued already.
 */
export async function submitJobs(
  context: ApiContext,
  request: SubmitJobsRequest__Output,
  user: string,
): Promise<SubmitJobsReply> {
  checkBatch(request.jobs);
  const judged = await judge(context, await parseAll(request.jobs));
  if (judged.every((one) => one.kind === "job")) {
    const ids = await Promise.all(judged.map((one) => queue(context, one, user)));
    return { jobs: ids.map((id) => ({ jobId: id, faults: [] })) };
  }
  const view = storeOf(context).view();
  return {
    jobs: judged.map((one) =>
      one.kind === "faults"
        ? { jobId: 0, faults: [...one.faults] }
        : { jobId: view.jobByRequest(one.requestId)?.id ?? 0, faults: [] },
    ),
  };
}

interface ParsedJob {
  readonly kind: "job";
  readonly requestId: string;
  readonly spec: JobSpec;
}
type Judged = ParsedJob | { readonly kind: "faults"; readonly faults: readonly Fault[] };

function checkBatch(jobs: readonly SubmitJobRequest__Output[]): void {
  const refused = (why: string): CallError => new CallError(status.INVALID_ARGUMENT, why);
  if (jobs.length === 0) throw refused("the call names no job; give 1 or more");
  if (jobs.length > BATCH_JOBS_MAX)
    throw refused(`${jobs.length} jobs are too many for one call; give at most ${BATCH_JOBS_MAX}`);
  const bytes = jobs.reduce((sum, { jobFile }) => sum + Buffer.byteLength(jobFile), 0);
  if (bytes > BATCH_BYTES_MAX)
    throw refused(`the job files take ${bytes} bytes; give at most ${BATCH_BYTES_MAX} in one call`);
  for (const { requestId } of jobs) checkRequestId(requestId);
  if (new Set(jobs.map(({ requestId }) => requestId)).size < jobs.length)
    throw refused("two jobs of the call have the same request_id; give each its own");
}

async function parseAll(requests: readonly SubmitJobRequest__Output[]): Promise<readonly Judged[]> {
  const all: Judged[] = [];
  let bytes = 0;
  for (const request of requests) {
    all.push(parse(request));
    bytes += request.jobFile.length;
    if (bytes <= PARSED_BYTES_PER_TURN) continue;
    bytes = 0;
    await nextTurn();
  }
  return all;
}

function parse({ requestId, jobFile }: SubmitJobRequest__Output): Judged {
  const parsed = parseJobFile(jobFile);
  if (parsed.kind === "faults") return parsed;
  if (parsed.notSupportedYet.length === 0) return { kind: "job", requestId, spec: toJobSpec(parsed.job) };
  const faults = parsed.notSupportedYet.map(({ path, reason }): Fault => {
    return { path, found: reason, allowed: "nothing: leave it out" };
  });
  return { kind: "faults", faults };
}

/** Turns away what could never run. */
async function judge(context: ApiContext, jobs: readonly Judged[]): Promise<readonly Judged[]> {
  const first = judgedBy(context, storeOf(context), jobs);
  // A refusal is a read: it has to rest on the newest state. A job that is taken is judged by its commit.
  const refuses = first.some((judged, nth) => judged !== jobs[nth]);
  return refuses ? judgedBy(context, await freshStore(context), jobs) : first;
}

/** A job that was taken already is not judged again. */
function judgedBy(context: ApiContext, store: Store, jobs: readonly Judged[]): readonly Judged[] {
  const view = store.view();
  if (view.mesh === null)
    throw new CallError(status.UNAVAILABLE, "the mesh is being made; try again shortly");
  const joinedAfter = context.now() - REGISTRATION_MS_MAX;
  const growing = [...view.nodes.values()].some(
    ({ state }) => state.kind === "joining" && state.since > joinedAfter,
  );
  if (growing) return jobs;
  // Each look goes through all the nodes, and the jobs of one batch mostly ask for the same.
  const known = new Map<string, readonly Fault[]>();
  return jobs.map((job) => {
    if (job.kind === "faults" || view.jobByRequest(job.requestId) !== null) return job;
    const { pool, nodeCount, shape } = job.spec;
    const demand = JSON.stringify([pool, nodeCount, shape]);
    const faults = known.get(demand) ?? feasibility(view, job.spec);
    known.set(demand, faults);
    return faults.length === 0 ? job : { kind: "faults", faults };
  });
}

async function queue(context: ApiContext, { requestId, spec }: ParsedJob, user: string): Promise<JobId> {
  const command = { kind: "submitJob", at: context.now(), requestId, spec, submittedBy: user } as const;
  const result = await resultOf(storeOf(context).propose(command));
  if (result.kind !== "job") throw new CallError(status.INTERNAL, `unexpected result ${result.kind}`);
  return result.job;
}
