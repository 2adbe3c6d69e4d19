import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { DataFolder } from "./data-folder.ts";
import { SetupError } from "./data-folder.ts";

const LOCK_TRIES_MAX = 5;

/**
 * Takes the data folder for this process alone; the lock of a process that is gone does not count. Throws SetupError
 * naming the process that holds it. Returns the way to give it back.
 */
export async function lockDataFolder(folder: DataFolder): Promise<() => Promise<void>> {
  mkdirSync(folder.path, { recursive: true, mode: 0o700 });
  const { lockFile } = folder;
  const own = `${lockFile}.${process.pid}`;
  writeFileSync(own, `${process.pid} ${startTimeOf(process.pid) ?? 0}\n`, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < LOCK_TRIES_MAX; attempt += 1) {
      if (linked(own, lockFile)) return async () => rm(lockFile, { force: true });
      const pid = daemonOf(folder);
      if (pid !== null) {
        throw new SetupError(
          `the data folder ${folder.path} is in use by the daemon with pid ${pid}. ` +
            `Stop that one first, or give this one another folder with --data`,
        );
      }
      removeStale(lockFile);
    }
  } finally {
    rmSync(own, { force: true });
  }
  throw new SetupError(`the data folder ${folder.path} can not be locked: others take ${lockFile} at once`);
}

/** The pid of the daemon that runs on that data folder, or null. */
export function daemonOf(folder: DataFolder): number | null {
  return holderOf(folder.lockFile);
}

/** True where the lock is ours now. It appears with its content, so that nobody ever reads half of it. */
function linked(own: string, lockFile: string): boolean {
  try {
    linkSync(own, lockFile);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Moved aside first: whoever else saw the stale lock may have put its own there meanwhile, and gets that one back. */
function removeStale(lockFile: string): void {
  const aside = `${lockFile}.stale.${process.pid}`;
  try {
    renameSync(lockFile, aside);
  } catch {
    return;
  }
  if (holderOf(aside) !== null) linked(aside, lockFile);
  rmSync(aside, { force: true });
}

/** The process that a lock names, if it lives. */
function holderOf(path: string): number | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return null;
  }
  const [pid = 0, startTime = 0] = text.trim().split(" ").map(Number);
  return pid > 0 && startTimeOf(pid) === startTime ? pid : null;
}

/** Start time in ticks since boot (field 22 of /proc/PID/stat): with the pid it names a process for good. */
function startTimeOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  } catch {
    return null;
  }
}
