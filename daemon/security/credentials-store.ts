import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { finishReplacement, replaceFiles } from "./atomic-files.ts";
import { identityOf, type Identity, type Role } from "./identity.ts";
import { meshIdSchema } from "./names.ts";

/** What one member of a mesh shows and believes. All three are PEM; the certificate is the leaf alone. */
export type Credentials = {
  readonly authorityPem: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
};

/** How a client reaches a mesh: its credentials and the daemons to try, as `host:port`. */
export type ClientContext = {
  readonly credentials: Credentials;
  readonly meshId: string;
  readonly addresses: readonly string[];
};

export type StoreFault = { readonly kind: "fault"; readonly message: string };

export type DaemonCredentialsResult =
  | {
      readonly kind: "found";
      readonly credentials: Credentials;
      readonly identity: Identity;
      /** When the certificate ends. One that has ended is still found: only the caller knows whether it matters. */
      readonly notAfter: Date;
    }
  | { readonly kind: "absent" }
  | StoreFault;

export type ClientContextResult =
  | {
      readonly kind: "found";
      readonly context: ClientContext;
      readonly identity: Identity;
      readonly notAfter: Date;
    }
  | { readonly kind: "absent" }
  | StoreFault;

const addressesMax = 64;
const authorityFile = "ca.pem";
const contextFile = "context.json";
const contextSchema = z.strictObject({
  meshId: meshIdSchema,
  addresses: z.array(z.string().min(1)).min(1).max(addressesMax),
});

/** Replaces a daemon's identity (`ca.pem`, `daemon.pem`, `daemon.key`) as a whole: after a crash it is old or new. */
export async function writeDaemonCredentials(folder: string, credentials: Credentials): Promise<void> {
  await replaceFiles(folder, credentialFiles("daemon", credentials));
}

/**
 * Reads a daemon's identity. `absent` means that the folder holds none, so the daemon has not joined yet; a fault is
 * one line that names the file and what to do.
 */
export async function readDaemonCredentials(folder: string): Promise<DaemonCredentialsResult> {
  return readCredentials(folder, "daemon");
}

/** Replaces a client's context (`ca.pem`, `client.pem`, `client.key`, `context.json`) as a whole. */
export async function writeClientContext(folder: string, context: ClientContext): Promise<void> {
  const { meshId, addresses } = context;
  await replaceFiles(folder, {
    ...credentialFiles("client", context.credentials),
    [contextFile]: `${JSON.stringify(contextSchema.parse({ meshId, addresses }), null, 2)}\n`,
  });
}

/** Reads a client's context; results as those of `readDaemonCredentials`. */
export async function readClientContext(folder: string): Promise<ClientContextResult> {
  const found = await readCredentials(folder, "client");
  if (found.kind !== "found") return found;
  const path = join(folder, contextFile);
  const text = await readIfThere(path);
  if (text === null) return storeFault(path, "it is missing", advice.client);
  const parsed = contextSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue?.path.join(".") || "its JSON";
    return storeFault(path, `${where}: ${issue?.message ?? "does not fit"}`, advice.client);
  }
  if (parsed.data.meshId !== found.identity.meshId) {
    return storeFault(
      path,
      `it is for mesh ${parsed.data.meshId}, client.pem for ${found.identity.meshId}`,
      advice.client,
    );
  }
  const { credentials, identity, notAfter } = found;
  return { kind: "found", context: { credentials, ...parsed.data }, identity, notAfter };
}

const advice: Readonly<Record<Role, string>> = {
  daemon: "restore it from a backup, or empty the folder and join the mesh again with a new token",
  client: "fetch the context again from a daemon of the mesh",
};

function credentialFiles(role: Role, credentials: Credentials): Record<string, string> {
  return {
    [authorityFile]: credentials.authorityPem,
    [`${role}.pem`]: credentials.certificatePem,
    [`${role}.key`]: credentials.privateKeyPem,
  };
}

async function readCredentials(folder: string, role: Role): Promise<DaemonCredentialsResult> {
  await finishReplacement(folder);
  const authorityPath = join(folder, authorityFile);
  const certificatePath = join(folder, `${role}.pem`);
  const keyPath = join(folder, `${role}.key`);
  const [authorityPem, certificatePem, privateKeyPem] = await Promise.all([
    readIfThere(authorityPath),
    readIfThere(certificatePath),
    readIfThere(keyPath),
  ]);
  if (authorityPem === null && certificatePem === null && privateKeyPem === null) return { kind: "absent" };
  if (authorityPem === null) return storeFault(authorityPath, "it is missing", advice[role]);
  if (certificatePem === null) return storeFault(certificatePath, "it is missing", advice[role]);
  if (privateKeyPem === null) return storeFault(keyPath, "it is missing", advice[role]);

  const authority = parseOrNull(() => new X509Certificate(authorityPem));
  if (authority === null) return storeFault(authorityPath, "it is not a certificate in PEM", advice[role]);
  const leaf = parseOrNull(() => new X509Certificate(certificatePem));
  if (leaf === null) return storeFault(certificatePath, "it is not a certificate in PEM", advice[role]);
  const key = parseOrNull(() => createPrivateKey(privateKeyPem));
  if (key === null) return storeFault(keyPath, "it is not a private key in PEM", advice[role]);

  const mode = (await stat(keyPath)).mode & 0o777;
  if ((mode & 0o077) !== 0) {
    return storeFault(keyPath, `others may read it (mode ${mode.toString(8)})`, `run: chmod 600 ${keyPath}`);
  }
  if (!leaf.checkPrivateKey(key))
    return storeFault(keyPath, `it is not the key of ${certificatePath}`, advice[role]);
  if (!leaf.checkIssued(authority) || !leaf.verify(authority.publicKey)) {
    return storeFault(certificatePath, `the authority in ${authorityPath} did not sign it`, advice[role]);
  }
  const identity = identityOf(leaf);
  if (identity?.role !== role)
    return storeFault(certificatePath, `it is not the certificate of a ${role}`, advice[role]);
  const credentials = { authorityPem, certificatePem, privateKeyPem };
  return { kind: "found", credentials, identity, notAfter: leaf.validToDate };
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

function parseOrNull<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch {
    return null;
  }
}

function parseJson(text: string): unknown {
  return parseOrNull((): unknown => JSON.parse(text));
}

function storeFault(path: string, what: string, next: string): StoreFault {
  return { kind: "fault", message: `${path}: ${what}; ${next}` };
}
