import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataFolder, SetupError } from "../setup/data-folder.ts";
import { initMesh } from "../setup/init.ts";
import { daemonOf } from "../setup/lock.ts";
import { Daemon } from "./daemon.ts";

let dir: string;
let folder: DataFolder;
let port: number;
let running: Daemon[];
let lines: string[];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "gm-daemon-"));
  folder = new DataFolder(join(dir, "data"));
  running = [];
  lines = [];
  const held = await hold(0);
  port = portOf(held);
  await release(held);
  const common = {
    name: "one",
    pool: "default",
    spot: false,
    failureDomain: null,
    slots: 2,
    now: () => Date.now(),
  };
  await initMesh({ ...common, folder, advertise: `127.0.0.1:${port}`, contextDir: join(dir, "context") });
});

afterEach(async () => {
  for (const daemon of running) await daemon.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function start(): Promise<Daemon> {
  const onFatal = (error: Error): void => void lines.push(`fatal: ${error.message}`);
  const daemon = await Daemon.start({ folder, log: (line) => lines.push(line), onFatal });
  running.push(daemon);
  return daemon;
}

function hold(onPort: number): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: onPort }, () => resolve(server));
  });
}

function release(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > deadline)
      throw new Error(`not within 10 s: ${holds.toString()}; ${lines.join("; ")}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe("a daemon", () => {
  it("founds its mesh, keeps its folder to itself, and gives everything back when it stops", async () => {
    const daemon = await start();
    expect(existsSync(folder.readyFile)).toBe(true);
    await until(() => folder.readFounding() === null);
    await expect(start()).rejects.toThrow(`in use by the daemon with pid ${process.pid}`);
    await daemon.stop();
    await daemon.stop();
    expect([existsSync(folder.readyFile), daemonOf(folder)]).toEqual([false, null]);
    await release(await hold(port));
    await start();
    expect(lines.filter((line) => line.startsWith("fatal"))).toEqual([]);
  });

  it("that can not listen says so in one line, and leaves nothing running", async () => {
    const other = await hold(port);
    const failed = start();
    await expect(failed).rejects.toThrow(SetupError);
    await expect(failed).rejects.toThrow(
      new RegExp(`^can not listen on 127.0.0.1:${port}: [^\\n]*EADDRINUSE[^\\n]*$`),
    );
    expect(daemonOf(folder)).toBeNull();
    await release(other);
    // The raft log would still be open, and refuse to be opened twice.
    await start();
    await until(() => folder.readFounding() === null);
  });

  it("does not start in a folder that was never set up", async () => {
    folder = new DataFolder(join(dir, "empty"));
    await expect(start()).rejects.toThrow(/is no daemon's data folder\. Make a mesh with init, or join one$/);
    expect(existsSync(folder.path)).toBe(false);
  });

  it("that votes does not start with its raft log gone", async () => {
    const daemon = await start();
    await until(() => folder.readFounding() === null);
    await daemon.stop();
    rmSync(folder.raft, { recursive: true });
    await expect(start()).rejects.toThrow(`${folder.raft} is gone, and this daemon votes by what it holds`);
    expect(daemonOf(folder)).toBeNull();
  });

  it("does not start without its certificate, and lets the folder go", async () => {
    rmSync(folder.identity, { recursive: true });
    await expect(start()).rejects.toThrow(/holds no certificate/);
    expect(daemonOf(folder)).toBeNull();
  });
});
