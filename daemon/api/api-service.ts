import { status } from "@grpc/grpc-js";
import type {
  CallOptions,
  Metadata,
  sendUnaryData,
  ServerUnaryCall,
  ServerWritableStream,
} from "@grpc/grpc-js";
import type { ApiClient, ApiHandlers } from "../../proto/gen/gpumesh/v1/Api.ts";
import type { Job } from "../../proto/gen/gpumesh/v1/Job.ts";
import type { GetJobRequest__Output } from "../../proto/gen/gpumesh/v1/GetJobRequest.ts";
import type { Job__Output } from "../../proto/gen/gpumesh/v1/Job.ts";
import type { LogChunk } from "../../proto/gen/gpumesh/v1/LogChunk.ts";
import type { ReadLogRequest__Output } from "../../proto/gen/gpumesh/v1/ReadLogRequest.ts";
import { channelErrorOf, peerIdentity } from "../mesh/channels.ts";
import type { Leadership } from "../store/store.ts";
import { callErrorOf, CallError } from "./call-error.ts";
import type { Done } from "./forward.ts";
import { Forwarder, forwardedUser } from "./forward.ts";
import type { HeldLogs } from "./read-log.ts";
import { readLog } from "./read-log.ts";
import type { ApiContext } from "./api-context.ts";
import { cancelJob, getJob, listJobs } from "./job-calls.ts";
import { HOLD_MS_MAX, LeaderWait } from "./leader-wait.ts";
import { createJoinToken, getMesh, listNodes } from "./mesh-calls.ts";
import { submitJob, submitJobs } from "./submit-calls.ts";
import { watchJob } from "./watch-job.ts";

export interface ApiOptions extends ApiContext {
  /** The leader's name as this daemon knows it; null for none. */
  readonly leaderName: () => string | null;
  /** The logs that this daemon holds. */
  readonly heldLogs: HeldLogs;
  readonly self: string;
}

/**
 * The users' service. Each call is authenticated, then carried out here when this daemon leads, else forwarded; while
 * there is no leader it is held. A read on the leader waits for a confirmed round first, so it shows everything acknowledged before it.
 */
export function apiService(options: ApiOptions): ApiHandlers {
  const forwarder = new Forwarder(options.peers, options.leaderName);
  const self = (): number | null => options.directory.byName(options.self)?.number ?? null;
  const leaderWait = new LeaderWait(options.store, self);
  const leads = (): boolean => options.store()?.leadership().leads ?? false;

  const unary = <Request, Reply, ReplyOut extends Reply>(
    here: (context: ApiContext, request: Request, user: string) => Promise<Reply>,
    there: (
      api: ApiClient,
      request: Request,
      metadata: Metadata,
      options: CallOptions,
      done: Done<ReplyOut>,
    ) => void,
  ) => {
    const answer = async (call: ServerUnaryCall<Request, Reply>): Promise<Reply> => {
      const user = userOf(call);
      const heldUntil = performance.now() + HOLD_MS_MAX;
      let refused: Leadership | null = null;
      for (;;) {
        await leaderWait.settled(refused, heldUntil);
        if (leads()) return here(options, call.request, user);
        const forwardedUnder: Leadership | null = options.store()?.leadership() ?? null;
        try {
          return await forwarder.unary<ReplyOut>(call, user, (api, metadata, deadline, done) =>
            there(api, call.request, metadata, { deadline }, done),
          );
        } catch (error) {
          // A call that never reached the leader waits for the next one.
          if (!isRefusedConnection(error) || forwardedUnder === null || performance.now() >= heldUntil)
            throw error;
          refused = forwardedUnder;
        }
      }
    };
    return (call: ServerUnaryCall<Request, Reply>, callback: sendUnaryData<Reply>): void => {
      answer(call).then(
        (reply) => callback(null, reply),
        (error: unknown) => callback(callErrorOf(error)),
      );
    };
  };

  const findJob = async (call: ServerWritableStream<ReadLogRequest__Output, LogChunk>): Promise<Job> => {
    const request: GetJobRequest__Output = { jobId: call.request.jobId };
    const user = userOf(call);
    await leaderWait.settled(null, performance.now() + HOLD_MS_MAX);
    if (leads()) return getJob(options, request);
    return forwarder.unary<Job__Output>(call, user, (api, metadata, deadline, done) =>
      api.getJob(request, metadata, { deadline }, done),
    );
  };

  return {
    SubmitJob: unary(submitJob, (api, ...rest) => api.submitJob(...rest)),
    SubmitJobs: unary(submitJobs, (api, ...rest) => api.submitJobs(...rest)),
    CancelJob: unary(cancelJob, (api, ...rest) => api.cancelJob(...rest)),
    GetJob: unary(getJob, (api, ...rest) => api.getJob(...rest)),
    ListJobs: unary(listJobs, (api, ...rest) => api.listJobs(...rest)),
    ListNodes: unary(listNodes, (api, ...rest) => api.listNodes(...rest)),
    GetMesh: unary(getMesh, (api, ...rest) => api.getMesh(...rest)),
    CreateJoinToken: unary(createJoinToken, (api, ...rest) => api.createJoinToken(...rest)),
    WatchJob: (call) =>
      answerStream(call, async () => {
        const user = userOf(call);
        await leaderWait.settled(null, performance.now() + HOLD_MS_MAX);
        if (leads()) return watchJob(options, call);
        return forwarder.stream(call, user, (api, metadata) => api.watchJob(call.request, metadata));
      }),
    ReadLog: (call) =>
      answerStream(call, async () =>
        readLog(
          { peers: options.peers, self: options.self, heldLogs: options.heldLogs },
          await findJob(call),
          call,
        ),
      ),
  };
}

function answerStream<Request, Reply>(
  call: ServerWritableStream<Request, Reply>,
  begin: () => Promise<void>,
): void {
  begin().catch((error: unknown) => call.emit("error", callErrorOf(error)));
}

/** Nothing listens where the leader was: the call was not sent. */
function isRefusedConnection(error: unknown): boolean {
  return (
    error instanceof CallError &&
    error.code === status.UNAVAILABLE &&
    channelErrorOf(error, "").code === "refused"
  );
}

/** Who asks: the client's certificate, or what a forwarding daemon says of it. */
function userOf(
  call: Parameters<typeof peerIdentity>[0] & {
    readonly metadata: ServerUnaryCall<unknown, unknown>["metadata"];
  },
): string {
  const identity = peerIdentity(call);
  if (identity === null)
    throw new CallError(status.UNAUTHENTICATED, "the call shows no certificate of this mesh");
  const forwarded = forwardedUser(call.metadata);
  if (forwarded === null) return identity.name;
  if (identity.role === "daemon") return forwarded;
  throw new CallError(status.PERMISSION_DENIED, "only a daemon may call for another user");
}
