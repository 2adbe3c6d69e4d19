import { spawn } from "node:child_process";
import { join } from "node:path";
import { systemPath } from "./launch-file.ts";
import { readIfThere } from "./part-folder.ts";
import { isAlive } from "./processes.ts";

export interface ShimScripts {
  readonly stateDir: string;
  readonly shimDir: string;
  /** The cgroup that shims and the watcher move to; null without cgroup v2. */
  readonly shimsCgroup: string | null;
  readonly bootId: string;
}

/**
 * Starts the watcher of this state folder unless it runs. Call it after the shim of a command is on record: watcher.sh
 * says why. Two that start at once settle it by a lock.
 */
export function ensureWatcher(scripts: ShimScripts): void {
  const [bootId, pid, startTime] = (readIfThere(join(scripts.stateDir, "watcher")) ?? "").trim().split(" ");
  if (bootId === scripts.bootId && isAlive(Number(pid), Number(startTime))) return;
  spawnScript(scripts, "watcher.sh", [scripts.stateDir, scripts.shimsCgroup ?? ""]);
}

/** What became of a script that was spawned: null while it runs. */
export interface SpawnedScript {
  ended: string | null;
}

/**
 * Runs a script in its own session, with nothing of the daemon's: no standard stream, variable, folder or group.
 */
export function spawnScript(scripts: ShimScripts, script: string, args: readonly string[]): SpawnedScript {
  const spawned: SpawnedScript = { ended: null };
  const child = spawn("/bin/sh", [join(scripts.shimDir, script), ...args], {
    detached: true,
    stdio: "ignore",
    cwd: "/",
    env: { PATH: systemPath },
  });
  child.once("error", (error) => (spawned.ended = String(error)));
  child.once("exit", (code, signal) => (spawned.ended = `${script} ended with ${signal ?? code}`));
  child.unref();
  return spawned;
}
