import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { DataFolder, SetupError } from "./data-folder.ts";
import { initMesh } from "./init.ts";
import { joinMesh } from "./join.ts";
import { daemonOf } from "./lock.ts";
import { startInBackground } from "./start.ts";

const DAEMONS_MAX = 50;
const STOP_TIMEOUT_MS = 10_000;
const LOOK_INTERVAL_MS = 50;

export interface DevMeshOptions {
  readonly daemons: number;
  /** Holds one data folder for each daemon, the client context, and the list of what runs. */
  readonly dir: string;
  readonly program: string;
  /** CPU slots of each daemon; null for the number of CPUs. */
  readonly slots: number | null;
}

export interface DevDaemon {
  readonly name: string;
  readonly address: string;
  readonly folder: string;
  readonly pid: number;
}

export interface DevMesh {
  readonly contextDir: string;
  readonly daemons: readonly DevDaemon[];
}

/**
 * Starts a mesh of several daemons on this machine, each with its own loopback address, port and data folder, through
 * the same init and join as on real VMs. A mesh that was made here before is started again as it was.
 */
export async function startDevMesh(options: DevMeshOptions): Promise<DevMesh> {
  if (options.daemons < 1 || options.daemons > DAEMONS_MAX)
    throw new SetupError(`a development mesh has 1 to ${DAEMONS_MAX} daemons, not ${options.daemons}`);
  const dir = resolve(options.dir);
  const contextDir = join(dir, "context");
  const daemons: DevDaemon[] = [];
  let token = "";
  for (let number = 1; number <= options.daemons; number += 1) {
    const name = `dev${number}`;
    const folder = new DataFolder(join(dir, name));
    let advertise = folder.readConfig()?.advertise;
    if (advertise === undefined) {
      const host = `127.0.0.${number}`;
      advertise = `${host}:${await freePort(host)}`;
      const common = {
        folder,
        name,
        advertise,
        pool: "default",
        spot: false,
        failureDomain: null,
        slots: options.slots,
      };
      if (number === 1) ({ token } = await initMesh({ ...common, contextDir, now: () => Date.now() }));
      else if (token === "") throw new SetupError(`${dir} holds a smaller mesh; remove it or ask for less`);
      else await joinMesh({ ...common, token, contextDir: join(folder.path, "context") });
    }
    const pid = daemonOf(folder) ?? (await startInBackground(options.program, folder));
    daemons.push({ name, address: advertise, folder: folder.path, pid });
    writeFileSync(join(dir, "daemons.json"), `${JSON.stringify(daemons, null, 2)}\n`);
  }
  writeAllAddresses(contextDir, daemons);
  return { contextDir, daemons };
}

/** Ends the daemons of that folder that still run; resolves with their names. */
export async function stopDevMesh(dir: string): Promise<readonly string[]> {
  const path = join(dir, "daemons.json");
  if (!existsSync(path)) throw new SetupError(`no development mesh was started in ${resolve(dir)}`);
  const daemons = listSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  const stopped: string[] = [];
  for (const { name, folder } of daemons) {
    const data = new DataFolder(folder);
    const pid = daemonOf(data);
    if (pid === null) continue;
    process.kill(pid, "SIGTERM");
    for (let waited = 0; daemonOf(data) !== null; waited += LOOK_INTERVAL_MS) {
      if (waited >= STOP_TIMEOUT_MS) throw new SetupError(`daemon ${name} (pid ${pid}) does not stop`);
      await sleep(LOOK_INTERVAL_MS);
    }
    stopped.push(name);
  }
  rmSync(path);
  return stopped;
}

const listSchema = z.array(
  z.strictObject({ name: z.string(), address: z.string(), folder: z.string(), pid: z.int().min(1) }),
);

/** The client finds the mesh through any of its daemons, whichever of them live. */
function writeAllAddresses(contextDir: string, daemons: readonly DevDaemon[]): void {
  const path = join(contextDir, "context.json");
  const context = z.looseObject({}).parse(JSON.parse(readFileSync(path, "utf8")));
  const addresses = daemons.map((daemon) => daemon.address);
  writeFileSync(path, `${JSON.stringify({ ...context, addresses }, null, 2)}\n`, { mode: 0o600 });
}

/** A TCP port that nothing listens on at this moment. */
function freePort(host: string): Promise<number> {
  return new Promise((resolvePort, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host, port: 0 }, () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolvePort(port));
    });
  });
}
