import { randomBytes } from "node:crypto";
import { createAuthority, createKeyAndRequest, issueCertificate } from "../security/ca.ts";
import type { Authority, Role } from "../security/ca.ts";
import { writeClientContext, writeDaemonCredentials } from "../security/credentials-store.ts";
import type { Credentials } from "../security/credentials-store.ts";
import { formatJoinToken, hashSecret, newTokenSecret } from "../security/join-token.ts";
import type { DaemonConfig, DataFolder } from "./data-folder.ts";
import { checkConfig, SetupError } from "./data-folder.ts";

const CERTIFICATE_DAYS = 365;
const TOKEN_VALID_MS = 3_600_000;
/** The user that the first client context speaks for. */
const FIRST_USER = "admin";

export interface InitOptions extends Omit<DaemonConfig, "meshId"> {
  readonly folder: DataFolder;
  /** Where the first user's credentials go. */
  readonly contextDir: string;
  readonly now: () => number;
}

/** Makes a mesh of one: its authority, this daemon's identity, the first user's credentials and a join token. */
export async function initMesh(
  options: InitOptions,
): Promise<{ readonly meshId: string; readonly token: string }> {
  const { folder, contextDir, now, ...rest } = options;
  checkConfig(rest);
  const existing = folder.readConfig();
  if (existing !== null)
    throw new SetupError(
      `${folder.path} already belongs to ${existing.name} of mesh ${existing.meshId}. ` +
        `To start it: gpumeshd run --data ${folder.path}. To make another mesh, give another folder with --data`,
    );
  const meshId = `m${randomBytes(6).toString("hex")}`;
  const authority = await createAuthority(meshId);
  const secret = newTokenSecret();
  const token = { id: randomBytes(4).toString("hex"), secretHash: hashSecret(secret) };
  await writeDaemonCredentials(folder.identity, await issue(authority, meshId, "daemon", rest.name, now()));
  await writeClientContext(contextDir, {
    credentials: await issue(authority, meshId, "client", FIRST_USER, now()),
    meshId,
    addresses: [rest.advertise],
  });
  const { certificatePem, privateKeyPem } = authority;
  await folder.writeFounding({
    authority: { certificatePem, privateKeyPem },
    token: { ...token, expiresAt: now() + TOKEN_VALID_MS },
  });
  await folder.writeDirectory(meshId, [
    { name: rest.name, number: 1, address: rest.advertise, raftRole: "voter" },
  ]);
  // Written last: a folder with a configuration is a folder that is complete.
  await folder.writeConfig({ meshId, ...rest });
  const digest = authority.spkiDigest;
  return { meshId, token: formatJoinToken({ address: rest.advertise, digest, id: token.id, secret }) };
}

async function issue(
  authority: Authority,
  meshId: string,
  role: Role,
  name: string,
  now: number,
): Promise<Credentials> {
  const { privateKeyPem, requestPem } = await createKeyAndRequest(name);
  const options = { meshId, role, name, requestPem, days: CERTIFICATE_DAYS, now: new Date(now) };
  const issued = await issueCertificate(authority, options);
  if (issued.kind === "fault") throw new SetupError(issued.message);
  return { authorityPem: authority.certificatePem, certificatePem: issued.certificatePem, privateKeyPem };
}
