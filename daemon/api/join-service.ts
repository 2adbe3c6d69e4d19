import { status } from "@grpc/grpc-js";
import type { sendUnaryData, ServerUnaryCall } from "@grpc/grpc-js";
import { nodeId } from "../../scheduler/model/ids.ts";
import type { JoinReply } from "../../proto/gen/gpumesh/v1/JoinReply.ts";
import type { JoinReply__Output } from "../../proto/gen/gpumesh/v1/JoinReply.ts";
import type { JoinRequest__Output } from "../../proto/gen/gpumesh/v1/JoinRequest.ts";
import { directoryMessage } from "../mesh/directory-wire.ts";
import { issueCertificate, nodeNameSchema } from "../security/ca.ts";
import type { Role } from "../security/ca.ts";
import { hashSecret } from "../security/join-token.ts";
import type { Store } from "../store/store.ts";
import { callErrorOf, CallError } from "./call-error.ts";
import { resultOf } from "./leader-calls.ts";
import type { ApiContext } from "./leader-calls.ts";

/** Certificates live this long; a daemon that stays away longer joins again. */
const CERTIFICATE_DAYS = 365;
const FORWARD_TIMEOUT_MS = 10_000;

/**
 * Trades a join token for certificates. `Join` is open to strangers, so everything in the request is checked before
 * anything is done; a daemon that does not lead passes it on over its own certificate.
 */
export async function join(
  context: ApiContext,
  request: JoinRequest__Output,
  leaderName: string | null,
): Promise<JoinReply> {
  const store = context.store();
  if (store?.leadership().leads === true) return admit(context, store, request);
  const line = leaderName === null ? null : context.peers.line(leaderName);
  if (line === null)
    throw new CallError(status.UNAVAILABLE, "the mesh has no leader at the moment; try again shortly");
  const deadline = new Date(context.now() + FORWARD_TIMEOUT_MS);
  return new Promise<JoinReply__Output>((resolve, reject) => {
    line.peer.admit(request, { deadline }, (error, reply) => {
      if (error !== null) reject(callErrorOf(error));
      else if (reply === undefined) reject(new CallError(status.INTERNAL, "the leader answered nothing"));
      else resolve(reply);
    });
  });
}

async function admit(context: ApiContext, store: Store, request: JoinRequest__Output): Promise<JoinReply> {
  const name = nodeNameSchema.safeParse(request.name);
  if (!name.success)
    throw new CallError(
      status.INVALID_ARGUMENT,
      `the name ${JSON.stringify(request.name)} can not be used: ${name.error.issues[0]?.message ?? "it is no DNS label"}`,
    );
  const result = await resultOf(
    store.propose({
      kind: "admitNode",
      at: context.now(),
      requestId: request.requestId,
      node: nodeId(name.data),
      tokenId: request.tokenId,
      secretHash: hashSecret(request.tokenSecret),
    }),
  );
  if (result.kind !== "node") throw new CallError(status.INTERNAL, `unexpected result ${result.kind}`);
  const wantsClient = request.clientCertificateRequest !== "";
  return {
    meshId: context.directory.meshId,
    certificate: await issue(context, store, name.data, "daemon", request.certificateRequest),
    clientCertificate: wantsClient
      ? await issue(context, store, name.data, "client", request.clientCertificateRequest)
      : "",
    directory: directoryMessage(context.directory.meshId, context.directory.members()),
  };
}

async function issue(
  context: ApiContext,
  store: Store,
  name: string,
  role: Role,
  requestPem: string,
): Promise<string> {
  const mesh = store.view().mesh;
  if (mesh === null) throw new CallError(status.UNAVAILABLE, "the mesh is being made; try again shortly");
  const { id: meshId, authority } = mesh;
  const now = new Date(context.now());
  const issued = await issueCertificate(
    { ...authority, spkiDigest: "" },
    { meshId, role, name, requestPem, days: CERTIFICATE_DAYS, now },
  );
  if (issued.kind === "fault") throw new CallError(status.INVALID_ARGUMENT, issued.message);
  return issued.certificatePem;
}

/** A gRPC handler of `join`. */
export function joinHandler(
  context: ApiContext,
  leaderName: () => string | null,
): (call: ServerUnaryCall<JoinRequest__Output, JoinReply>, callback: sendUnaryData<JoinReply>) => void {
  return (call, callback) => {
    join(context, call.request, leaderName()).then(
      (reply) => callback(null, reply),
      (error: unknown) => callback(callErrorOf(error)),
    );
  };
}
