import { status } from "@grpc/grpc-js";
import type { sendUnaryData, ServerUnaryCall } from "@grpc/grpc-js";
import { nodeId } from "../../scheduler/model/ids.ts";
import type { JoinReply } from "../../proto/gen/gpumesh/v1/JoinReply.ts";
import type { JoinReply__Output } from "../../proto/gen/gpumesh/v1/JoinReply.ts";
import type { JoinRequest__Output } from "../../proto/gen/gpumesh/v1/JoinRequest.ts";
import { directoryMessage } from "../mesh/directory-wire.ts";
import { issueCertificate, nodeNameSchema } from "../security/ca.ts";
import type { Role } from "../security/ca.ts";
import { hashSecret, secretMatches } from "../security/join-token.ts";
import type { Store } from "../store/store.ts";
import { callErrorOf, CallError } from "./call-error.ts";
import { checkRequestId, freshStore, resultOf } from "./api-context.ts";
import type { ApiContext } from "./api-context.ts";

type StateView = ReturnType<Store["view"]>;

/** Certificates live this long; a daemon that stays away longer joins again. */
const CERTIFICATE_DAYS = 365;
const FORWARD_TIMEOUT_MS = 10_000;
/** Characters of a name that can not be used that are said back. */
const NAME_QUOTED_MAX = 64;

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
  if (store?.leadership().leads === true) return admit(context, request);
  const line = leaderName === null ? null : context.peers.line(leaderName);
  if (line === null)
    throw new CallError(status.UNAVAILABLE, "the mesh has no leader at the moment; try again shortly");
  const deadline = new Date(Date.now() + FORWARD_TIMEOUT_MS);
  return new Promise<JoinReply__Output>((resolve, reject) => {
    line.peer.admit(request, { deadline }, (error, reply) => {
      if (error !== null) reject(callErrorOf(error));
      else if (reply === undefined) reject(new CallError(status.INTERNAL, "the leader answered nothing"));
      else resolve(reply);
    });
  });
}

/**
 * Strangers can not make the log grow: nothing is proposed before the token was found good and the certificates, which
 * are given out only to an admitted node, could be made.
 */
async function admit(context: ApiContext, request: JoinRequest__Output): Promise<JoinReply> {
  checkRequestId(request.requestId);
  const name = nodeNameSchema.safeParse(request.name);
  if (!name.success)
    throw new CallError(
      status.INVALID_ARGUMENT,
      `the name ${JSON.stringify(request.name.slice(0, NAME_QUOTED_MAX))} can not be used: ${name.error.issues[0]?.message ?? "it is no DNS label"}`,
    );
  const store = await freshStore(context);
  if (store.view().tokens.size === 0)
    throw new CallError(status.UNAVAILABLE, "the mesh is being made; try again shortly");
  checkToken(store.view(), request, context.now());
  const issueFor = (role: Role, requestPem: string): Promise<string> =>
    issue(context, store.view(), { role, name: name.data, requestPem });
  const certificate = await issueFor("daemon", request.certificateRequest);
  const wantsClient = request.clientCertificateRequest !== "";
  const clientCertificate = wantsClient ? await issueFor("client", request.clientCertificateRequest) : "";
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
  const { meshId } = context.directory;
  const directory = directoryMessage(meshId, context.directory.members());
  return { meshId, certificate, clientCertificate, directory };
}

function checkToken(view: StateView, request: JoinRequest__Output, now: number): void {
  const token = view.tokens.get(request.tokenId);
  const fault =
    token === undefined
      ? "it is not known here"
      : !secretMatches(request.tokenSecret, token.secretHash)
        ? "its secret is wrong"
        : now >= token.expiresAt
          ? "it has expired"
          : null;
  if (fault === null) return;
  throw new CallError(
    status.PERMISSION_DENIED,
    `this join token does not admit anyone: ${fault}; make a new one on a node of the mesh`,
  );
}

async function issue(
  context: ApiContext,
  view: StateView,
  wanted: { readonly role: Role; readonly name: string; readonly requestPem: string },
): Promise<string> {
  if (view.mesh === null) throw new Error("a join token was taken before the mesh was made");
  const { id: meshId, authority } = view.mesh;
  const issued = await issueCertificate(
    { ...authority, spkiDigest: "" },
    { meshId, ...wanted, days: CERTIFICATE_DAYS, now: new Date(context.now()) },
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
