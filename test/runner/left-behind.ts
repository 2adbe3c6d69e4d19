import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** A process that outlived the suite that started it. */
export type LeftBehind = { readonly pid: number; readonly command: string };

const graceMs = 3_000;
const pollMs = 100;

/**
 * Gives processes whose environment holds `variable` the time to end by themselves, kills those that do not, and
 * returns them. The environment is inherited, so it finds daemons that left their session and process group too.
 */
export async function endLeftBehind(variable: string): Promise<readonly LeftBehind[]> {
  for (let waitedMs = 0; waitedMs < graceMs; waitedMs += pollMs) {
    if (processesWith(variable).length === 0) return [];
    await delay(pollMs);
  }
  const left = processesWith(variable);
  for (const { pid } of left) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  return left;
}

/** The running processes whose environment holds `variable`, given as NAME=value. */
export function processesWith(variable: string): readonly LeftBehind[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => readProc(pid, "environ").split("\0").includes(variable))
    .map((pid) => ({ pid: Number(pid), command: readProc(pid, "cmdline").replaceAll("\0", " ").trim() }));
}

/** Empty for a process that has ended or that belongs to somebody else. */
function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ESRCH";
}
