/**
 * The file through which a part's deadline reaches its shims: one number, hundredths of a second of the boot clock,
 * the unit of `/proc/uptime`. It lives on tmpfs, so that moving it never waits for a disk, and no deadline survives a boot.
 */
import { accessSync, constants, lstatSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ExecutorError } from "./executor.ts";
import { readIfThere, replaceFile } from "./part-folder.ts";

/** /run when it is a tmpfs that this user may write, else /dev/shm, else undefined. */
export function findTmpfs(): string | undefined {
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  return ["/run", "/dev/shm"].find((folder) => {
    if (!mounts.some((line) => line.split(" ")[1] === folder && line.split(" ")[2] === "tmpfs")) return false;
    try {
      accessSync(folder, constants.W_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Makes `<parent>/<name>` for this user alone.
 * @throws ExecutorError `unsafe-folder` when another user owns it or may write to it: /dev/shm is open to all, and who
 *   can write a deadline can keep a job alive.
 */
export function makeDeadlineFolder(parent: string, name: string): string {
  const path = join(parent, name);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const stat = lstatSync(path);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.() || (stat.mode & 0o022) !== 0) {
    throw new ExecutorError(
      "unsafe-folder",
      `${path} belongs to another user or is open to others: remove it`,
    );
  }
  return path;
}

export function writeDeadline(path: string, atMs: number): void {
  replaceFile(path, `${Math.floor(atMs / 10)}\n`);
}

/** Milliseconds of the boot clock; undefined when there is none, or none that a shim would understand. */
export function readDeadline(path: string): number | undefined {
  const text = readIfThere(path);
  return text !== undefined && /^\d+\n$/.test(text) ? Number(text) * 10 : undefined;
}
