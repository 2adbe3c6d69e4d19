import { setTimeout as sleep } from "node:timers/promises";
import { bootClockMs } from "./boot-clock.ts";
import { cgroupIsEmpty, cgroupMembers, killCgroup } from "./cgroup.ts";
import type { CommandGroup } from "./command-group.ts";
import type { LeftProcess, PartEnd } from "./executor.ts";
import { commandLine, environmentCarriers, sendSignal } from "./processes.ts";

/** How long KILL may take to show (K of the lease rule); what is left then is stuck in the kernel. */
export const killMsMax = 2_000;

const lookIntervalMs = 20;

/** All by which processes of a part are known. */
export interface PartProcesses {
  /** The part's cgroup, which holds those of its commands; null without cgroup v2. */
  readonly cgroup: string | null;
  readonly groups: readonly CommandGroup[];
  /** `GPUMESH_ATTEMPT_TOKEN=...` */
  readonly tokenEntry: string;
}

/**
 * Ends all processes of a part: TERM to those that no guard signals, KILL to all after `graceMs`, and again until none
 * is seen or `killMsMax` is over.
 */
export async function endProcesses(part: PartProcesses, graceMs: number): Promise<PartEnd> {
  const killAtMs = bootClockMs() + graceMs;
  const inGroups = new Set(groupPids(part));
  for (const pid of await environmentCarriers(part.tokenEntry)) {
    if (!inGroups.has(pid) && graceMs > 0) sendSignal(pid, "SIGTERM");
  }
  for (;;) {
    if (await isGone(part)) return { kind: "gone" };
    const nowMs = bootClockMs();
    if (nowMs >= killAtMs + killMsMax) return { kind: "left", processes: await leftProcesses(part) };
    if (nowMs >= killAtMs) await killAll(part);
    await sleep(lookIntervalMs);
  }
}

/** The groups are asked first: that is cheap, while a search by token reads the environment of every process. */
async function isGone(part: PartProcesses): Promise<boolean> {
  const grouped =
    part.cgroup !== null ? !cgroupIsEmpty(part.cgroup) : part.groups.some((group) => !group.isEmpty());
  return !grouped && (await environmentCarriers(part.tokenEntry)).length === 0;
}

async function killAll(part: PartProcesses): Promise<void> {
  if (part.cgroup !== null) killCgroup(part.cgroup);
  for (const group of part.groups) group.kill();
  for (const pid of await environmentCarriers(part.tokenEntry)) sendSignal(pid, "SIGKILL");
}

async function leftProcesses(part: PartProcesses): Promise<readonly LeftProcess[]> {
  const pids = new Set([...groupPids(part), ...(await environmentCarriers(part.tokenEntry))]);
  return [...pids].map((pid) => ({ pid, command: commandLine(pid) }));
}

function groupPids(part: PartProcesses): readonly number[] {
  return part.cgroup !== null ? cgroupMembers(part.cgroup) : part.groups.flatMap((group) => group.members());
}
