import { randomUUID } from "node:crypto";
import * as grpc from "@grpc/grpc-js";
import { loadMesh } from "../../proto/load.ts";
import type { JoinReply__Output } from "../../proto/gen/gpumesh/v1/JoinReply.ts";
import type { JoinRequest } from "../../proto/gen/gpumesh/v1/JoinRequest.ts";
import { ChannelError, channelErrorOf, fetchAuthority, openJoiningChannel } from "../mesh/channels.ts";
import { membersOf } from "../mesh/directory-wire.ts";
import { createKeyAndRequest } from "../security/ca.ts";
import { writeClientContext, writeDaemonCredentials } from "../security/credentials-store.ts";
import { parseJoinToken } from "../security/join-token.ts";
import type { DaemonConfig, DataFolder } from "./data-folder.ts";
import { checkConfig, SetupError } from "./data-folder.ts";

const CALL_TIMEOUT_MS = 10_000;
const JOIN_TRIES_MAX = 10;
const RETRY_DELAY_MS = 500;
/** Daemons that a client context names; any one of them will do. */
const CONTEXT_ADDRESSES_MAX = 16;

export interface JoinOptions extends Omit<DaemonConfig, "meshId"> {
  readonly folder: DataFolder;
  readonly token: string;
  /** Where this machine's client credentials go. */
  readonly contextDir: string;
}

/** Joins a mesh: believes only the authority that the token names, and gets this machine its certificates. */
export async function joinMesh(options: JoinOptions): Promise<{ readonly meshId: string }> {
  const { folder, token: text, contextDir, ...rest } = options;
  // Before the mesh is asked: a name that it has admitted is taken for good.
  checkConfig(rest);
  const parsed = parseJoinToken(text);
  if (parsed.kind === "fault") throw new SetupError(parsed.message);
  const existing = folder.readConfig();
  if (existing !== null)
    throw new SetupError(
      `${folder.path} already belongs to ${existing.name} of mesh ${existing.meshId}; give another folder with --data`,
    );
  const { token } = parsed;
  const authorityPem = await fetchAuthority(token.address, token.digest).catch((error: unknown) => {
    throw error instanceof ChannelError ? new SetupError(error.message) : error;
  });
  const daemon = await createKeyAndRequest(rest.name);
  const client = await createKeyAndRequest(rest.name);
  const reply = await askToJoin(token.address, authorityPem, {
    requestId: randomUUID(),
    tokenId: token.id,
    tokenSecret: token.secret,
    name: rest.name,
    certificateRequest: daemon.requestPem,
    clientCertificateRequest: client.requestPem,
  });
  const { meshId } = reply;
  await writeDaemonCredentials(folder.identity, {
    authorityPem,
    certificatePem: reply.certificate,
    privateKeyPem: daemon.privateKeyPem,
  });
  const members = reply.directory === null ? [] : membersOf(reply.directory);
  const known = members.map((member) => member.address).filter((address) => address !== "");
  await writeClientContext(contextDir, {
    credentials: {
      authorityPem,
      certificatePem: reply.clientCertificate,
      privateKeyPem: client.privateKeyPem,
    },
    meshId,
    addresses: [...new Set([rest.advertise, token.address, ...known])].slice(0, CONTEXT_ADDRESSES_MAX),
  });
  await folder.writeDirectory(meshId, members);
  await folder.writeConfig({ meshId, ...rest });
  return { meshId };
}

const MAY_BE_REPEATED: ReadonlySet<grpc.status> = new Set([
  grpc.status.UNAVAILABLE,
  grpc.status.DEADLINE_EXCEEDED,
]);

/** The same request id makes a repeated call safe; a mesh between two leaders is asked again. */
async function askToJoin(
  address: string,
  authorityPem: string,
  request: JoinRequest,
): Promise<JoinReply__Output> {
  const channel = openJoiningChannel(address, authorityPem);
  const client = new (loadMesh().Join)(address, grpc.credentials.createSsl(), { channelOverride: channel });
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await call(client, request);
      } catch (error) {
        if (!isServiceError(error)) throw error;
        if (!MAY_BE_REPEATED.has(error.code)) throw new SetupError(error.details);
        if (attempt === JOIN_TRIES_MAX) throw new SetupError(channelErrorOf(error, address).message);
        await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS));
      }
    }
  } finally {
    channel.close();
  }
}

function call(
  client: InstanceType<ReturnType<typeof loadMesh>["Join"]>,
  request: JoinRequest,
): Promise<JoinReply__Output> {
  return new Promise((resolve, reject) => {
    client.join(request, { deadline: Date.now() + CALL_TIMEOUT_MS }, (error, reply) => {
      if (error !== null) reject(error);
      else if (reply === undefined) reject(new SetupError("the mesh answered nothing"));
      else resolve(reply);
    });
  });
}

function isServiceError(error: unknown): error is grpc.ServiceError {
  return error instanceof Error && "details" in error && "code" in error;
}
