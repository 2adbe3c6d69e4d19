import { createPrivateKey, randomUUID, X509Certificate } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { parseAddress } from "../../scheduler/model/address.ts";

/** How a client reaches a mesh: whom it believes, what it shows, and the daemons to try. */
export interface ClientContext {
  readonly meshId: string;
  /** `host:port`, 1 to 64 of them. */
  readonly addresses: readonly string[];
  /** PEM, as the two below. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** A context that can not be used. The message names the file and the next command. */
export class ContextError extends Error {
  override readonly name = "ContextError";
}

const addressesMax = 64;
const contextFile = "context.json";
const contextSchema = z.strictObject({
  meshId: z.string().min(1).max(63),
  addresses: z
    .array(z.string().refine((address) => parseAddress(address) !== null, "each is host:port"))
    .min(1)
    .max(addressesMax),
});

/** The folder of the context: the one given, else `$GPUMESH_CONTEXT`, else `~/.config/gpumesh`. */
export function contextFolder(
  given: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const fromEnvironment = environment["GPUMESH_CONTEXT"];
  if (given !== undefined && given !== "") return given;
  if (fromEnvironment !== undefined && fromEnvironment !== "") return fromEnvironment;
  return join(homedir(), ".config", "gpumesh");
}

/**
 * Reads `ca.pem`, `client.pem`, `client.key` and `context.json` of a folder. Rejects with a `ContextError`.
 *
 * @param now for judging whether the certificate has ended
 */
export async function readContext(folder: string, now = new Date()): Promise<ClientContext> {
  const [json, ca, certificate, key] = await Promise.all(
    [contextFile, "ca.pem", "client.pem", "client.key"].map((name) => readIfThere(folder, name)),
  );
  if (json === null && ca === null && certificate === null && key === null) {
    throw new ContextError(
      `${folder} holds no context of a mesh; make a mesh with "gpumesh init", join one with "gpumesh join TOKEN", or name another folder with --context or GPUMESH_CONTEXT`,
    );
  }
  const parts = {
    ca: present(folder, "ca.pem", ca),
    certificate: present(folder, "client.pem", certificate),
  };
  const credentials = { ...parts, key: present(folder, "client.key", key) };
  checkCredentials(folder, credentials, now);
  return { ...parseContextFile(folder, present(folder, contextFile, json)), ...credentials };
}

/**
 * Replaces the addresses of a folder's context, so that the mesh is still found when the first daemons are gone. At
 * most 64 are kept, the first ones; none at all changes nothing. A crash leaves the old file or the new one.
 *
 * @returns whether the file was written
 */
export async function updateAddresses(folder: string, addresses: readonly string[]): Promise<boolean> {
  const wanted = [...new Set(addresses)]
    .filter((address) => parseAddress(address) !== null)
    .slice(0, addressesMax);
  if (wanted.length === 0) return false;
  const old = parseContextFile(folder, present(folder, contextFile, await readIfThere(folder, contextFile)));
  if (old.addresses.join() === wanted.join()) return false;
  await replaceFile(
    join(folder, contextFile),
    `${JSON.stringify({ meshId: old.meshId, addresses: wanted }, null, 2)}\n`,
  );
  return true;
}

/** What a node's daemon is known by, as far as its address is concerned. */
interface KnownNode {
  readonly address: string;
  readonly state: string;
  readonly raftRole: string;
}

/** The nodes' addresses, those that most likely answer first: not lost, then the voters. */
export function addressesOf(nodes: readonly KnownNode[]): readonly string[] {
  const rank = (node: KnownNode): number =>
    (node.state === "lost" ? 2 : 0) + (node.raftRole === "voter" ? 0 : 1);
  return nodes
    .filter(({ address }) => address !== "")
    .toSorted((a, b) => rank(a) - rank(b))
    .map(({ address }) => address);
}

const fetchAgain = `fetch the context again with "gpumesh join TOKEN", or copy it from a machine of the mesh`;

function parseContextFile(folder: string, text: string): z.infer<typeof contextSchema> {
  const path = join(folder, contextFile);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new ContextError(`${path}: it is not JSON; ${fetchAgain}`);
  }
  const parsed = contextSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join(".") ?? "";
  throw new ContextError(
    `${path}: ${where === "" ? "" : `${where}: `}${issue?.message ?? "does not fit"}; ${fetchAgain}`,
  );
}

function checkCredentials(
  folder: string,
  pems: Pick<ClientContext, "ca" | "certificate" | "key">,
  now: Date,
): void {
  const certificatePath = join(folder, "client.pem");
  const certificate = parsedPem(certificatePath, "certificate", () => new X509Certificate(pems.certificate));
  parsedPem(join(folder, "ca.pem"), "certificate", () => new X509Certificate(pems.ca));
  const keyPath = join(folder, "client.key");
  const key = parsedPem(keyPath, "private key", () => createPrivateKey(pems.key));
  if (!certificate.checkPrivateKey(key)) {
    throw new ContextError(`${keyPath}: it is not the key of ${certificatePath}; ${fetchAgain}`);
  }
  if (certificate.validToDate < now) {
    throw new ContextError(`${certificatePath}: it ended on ${certificate.validTo}; ${fetchAgain}`);
  }
}

function parsedPem<T>(path: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new ContextError(`${path}: it is not a ${what} in PEM; ${fetchAgain}`);
  }
}

function present(folder: string, name: string, text: string | null | undefined): string {
  if (typeof text === "string") return text;
  throw new ContextError(`${join(folder, name)}: it is missing; ${fetchAgain}`);
}

/**
 * A daemon replaces the four files together through a folder `replacement`, which is there only between the decision
 * and the last move: what it holds counts before what stands beside it.
 */
async function readIfThere(folder: string, name: string): Promise<string | null> {
  for (const path of [join(folder, "replacement", name), join(folder, name)]) {
    try {
      return await readFile(path, "utf8");
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : "";
      if (code === "ENOENT" || code === "ENOTDIR") continue;
      throw new ContextError(
        `${path}: it can not be read (${String(code)}); run as the user it belongs to, or name another folder with --context`,
      );
    }
  }
  return null;
}

async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}.draft`;
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(text, "utf8");
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
