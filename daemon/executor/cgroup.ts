/** Control groups, version 2: the one way to name, count and kill all that a command ever forked. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { hasCode, isGone, sendSignal } from "./processes.ts";

export type CgroupSupport =
  { readonly kind: "cgroup2"; readonly base: string } | { readonly kind: "none"; readonly why: string };

/**
 * Makes `<cgroup2>/<baseName>` with the group `shims` in it and says whether processes may be put there.
 * Parts get `<base>/part-<id>/<command>`.
 */
export function openCgroups(baseName: string): CgroupSupport {
  const root = findCgroup2(readFileSync("/proc/mounts", "utf8"));
  if (root === undefined) return { kind: "none", why: "no cgroup v2 file system is mounted" };
  const base = join(root, baseName);
  try {
    mkdirSync(shimsCgroup(base), { recursive: true });
  } catch (error) {
    return { kind: "none", why: `${base} cannot be made: ${String(error)}` };
  }
  // Only a process that moves itself proves delegation; permissions on the file do not.
  const move = spawnSync("/bin/sh", ["-c", 'echo 0 >"$1/cgroup.procs"', "sh", shimsCgroup(base)]);
  return move.status === 0
    ? { kind: "cgroup2", base }
    : { kind: "none", why: `no process may move to ${base}: ${move.stderr.toString().trim()}` };
}

/** Where shims stand: outside the groups of the jobs, and outside the service group that ends with the daemon. */
export function shimsCgroup(base: string): string {
  return join(base, "shims");
}

/** The mount point of cgroup v2 in the text of `/proc/mounts`: alone, or beside version 1 on a hybrid machine. */
export function findCgroup2(mounts: string): string | undefined {
  for (const line of mounts.split("\n")) {
    const [, target, type] = line.split(" ");
    if (type === "cgroup2" && target !== undefined) {
      return target.replace(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      );
    }
  }
  return undefined;
}

/** Processes in the group and in all groups below it. A group that does not exist has none. */
export function cgroupMembers(path: string): readonly number[] {
  try {
    const own = readFileSync(join(path, "cgroup.procs"), "latin1").split("\n").map(Number);
    // Processes outside this pid namespace read as 0.
    return [...own.filter((pid) => pid > 0), ...childGroups(path).flatMap((child) => cgroupMembers(child))];
  } catch (error) {
    if (isGone(error) || hasCode(error, "ENODEV")) return [];
    throw error;
  }
}

/** Whether no live process is in the group or below it; zombies do not count. */
export function cgroupIsEmpty(path: string): boolean {
  try {
    return /^populated 0$/m.test(readFileSync(join(path, "cgroup.events"), "latin1"));
  } catch (error) {
    if (isGone(error) || hasCode(error, "ENODEV")) return true;
    throw error;
  }
}

/** Sends KILL to all in the group and below, at once where the kernel can (5.14), else one by one. */
export function killCgroup(path: string): void {
  const file = join(path, "cgroup.kill");
  if (existsSync(file)) {
    try {
      writeFileSync(file, "1");
    } catch (error) {
      if (!isGone(error) && !hasCode(error, "ENODEV")) throw error;
    }
  } else {
    for (const pid of cgroupMembers(path)) sendSignal(pid, "SIGKILL");
  }
}

/**
 * Removes an empty group with those below it. The kernel may hold one for a moment after its last process; after
 * `triesMax` tries, 10 ms apart, it stays, for an empty group does no harm.
 */
export async function removeCgroup(path: string, triesMax = 50): Promise<void> {
  for (let tries = 1; tries <= triesMax; tries += 1) {
    try {
      removeGroups(path);
      return;
    } catch (error) {
      if (!hasCode(error, "EBUSY")) throw error;
      await sleep(10);
    }
  }
}

function removeGroups(path: string): void {
  try {
    for (const child of childGroups(path)) removeGroups(child);
    rmdirSync(path);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function childGroups(path: string): readonly string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(path, entry.name));
}
