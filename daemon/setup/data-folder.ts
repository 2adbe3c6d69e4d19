import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { parseAddress } from "../../scheduler/model/address.ts";
import type { Member } from "../mesh/directory.ts";
import { RAFT_ROLES } from "../mesh/directory.ts";
import { nodeNameSchema } from "../security/ca.ts";

/** What the operator decided for this daemon when it was made; `<data>/daemon.json`. */
export interface DaemonConfig {
  readonly meshId: string;
  readonly name: string;
  /** Where others reach it, `host:port`; it listens on that address. */
  readonly advertise: string;
  readonly pool: string;
  readonly spot: boolean;
  /** The rack, zone or power feed that this machine shares its fate with; null where nobody said. */
  readonly failureDomain: string | null;
  /** CPU slots to offer; null for the number of CPUs. */
  readonly slots: number | null;
}

const configSchema = z.strictObject({
  meshId: z.string().min(1),
  name: nodeNameSchema,
  advertise: z.string().refine((text) => parseAddress(text) !== null, "is not host:port"),
  pool: z.string().regex(/^[-\w]{1,64}$/, "has 1 to 64 letters, digits, '-' and '_'"),
  spot: z.boolean(),
  failureDomain: z
    .string()
    .regex(/^[-.\w]{1,64}$/, "has 1 to 64 letters, digits, '-', '_' and '.'")
    .nullable(),
  slots: z.int().min(1).max(100_000).nullable(),
});

const directorySchema = z.strictObject({
  meshId: z.string(),
  members: z.array(
    z.strictObject({
      name: z.string(),
      number: z.int().min(1),
      address: z.string(),
      raftRole: z.enum(RAFT_ROLES),
    }),
  ),
});

/** The first state of a mesh, made by `init` and kept until it is committed; `<data>/founding.json`. */
export interface Founding {
  readonly authority: { readonly certificatePem: string; readonly privateKeyPem: string };
  readonly token: { readonly id: string; readonly secretHash: string; readonly expiresAt: number };
}

const foundingSchema = z.strictObject({
  authority: z.strictObject({ certificatePem: z.string(), privateKeyPem: z.string() }),
  token: z.strictObject({ id: z.string(), secretHash: z.string(), expiresAt: z.number() }),
});

/** An expected failure of setting up or starting a daemon; the message is for its operator. */
export class SetupError extends Error {
  override readonly name = "SetupError";
}

/** Throws a SetupError of one line for what no daemon can be configured with. */
export function checkConfig(config: Omit<DaemonConfig, "meshId">): void {
  const issue = configSchema.partial({ meshId: true }).safeParse(config).error?.issues[0];
  if (issue === undefined) return;
  const field = issue.path.join(".") as keyof typeof config;
  throw new SetupError(`${field} ${JSON.stringify(config[field])} can not be used: ${issue.message}`);
}

/** The files and folders below a daemon's data folder. */
export class DataFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  get identity(): string {
    return join(this.path, "identity");
  }
  get raft(): string {
    return join(this.path, "raft");
  }
  get executor(): string {
    return join(this.path, "executor");
  }
  get bin(): string {
    return join(this.path, "bin");
  }
  get logFile(): string {
    return join(this.path, "daemon.log");
  }
  /** Holds the address once the daemon serves; absent while it does not. */
  get readyFile(): string {
    return join(this.path, "ready");
  }
  get lockFile(): string {
    return join(this.path, "lock");
  }

  async create(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
  }

  async writeConfig(config: DaemonConfig): Promise<void> {
    await this.#write("daemon.json", configSchema.parse(config));
  }

  /** Null when the folder was never set up. */
  readConfig(): DaemonConfig | null {
    return this.#read("daemon.json", configSchema);
  }

  async writeFounding(founding: Founding): Promise<void> {
    await this.#write("founding.json", founding);
  }

  readFounding(): Founding | null {
    return this.#read("founding.json", foundingSchema);
  }

  /** Once the mesh's first commands are committed, its authority's key lives in the replicated state alone. */
  async removeFounding(): Promise<void> {
    await rm(join(this.path, "founding.json"), { force: true });
  }

  async writeDirectory(meshId: string, members: readonly Member[]): Promise<void> {
    await this.#write("directory.json", { meshId, members });
  }

  /** As `writeDirectory`, for a listener that can not wait. */
  writeDirectoryNow(meshId: string, members: readonly Member[]): void {
    const path = join(this.path, "directory.json");
    writeFileSync(`${path}.tmp`, JSON.stringify({ meshId, members }), { mode: 0o600, flush: true });
    renameSync(`${path}.tmp`, path);
  }

  readDirectory(): { readonly meshId: string; readonly members: readonly Member[] } | null {
    return this.#read("directory.json", directorySchema);
  }

  async #write(name: string, document: unknown): Promise<void> {
    await this.create();
    const path = join(this.path, name);
    const file = await open(`${path}.tmp`, "w", 0o600);
    try {
      await file.writeFile(`${JSON.stringify(document, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.tmp`, path);
  }

  #read<T>(name: string, schema: z.ZodType<T>): T | null {
    const path = join(this.path, name);
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
      throw new SetupError(`${path} can not be read: ${String(error)}`);
    }
    try {
      return schema.parse(JSON.parse(text));
    } catch (error) {
      const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
      const field = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
      const why = `${field}${issue?.message ?? String(error)}`;
      throw new SetupError(
        `${path} is damaged: ${why}. Restore it, or remove the data folder and join again under another name`,
      );
    }
  }
}
