/** What `/proc` says about processes. Every read takes into account that a process may be gone by then. */
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";

export interface ProcessStat {
  readonly pid: number;
  /** One letter of proc_pid_stat(5); Z is a process that has ended and waits to be reaped. */
  readonly state: string;
  readonly session: number;
  /** Clock ticks after boot; with the pid it names one process of this boot. */
  readonly startTime: number;
}

/** Undefined when there is no such process, or only its zombie. */
export function liveProcess(pid: number): ProcessStat | undefined {
  try {
    const stat = parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
    return stat.state === "Z" || stat.state === "X" ? undefined : stat;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Is the process `pid` that started at `startTime` still there? */
export function isAlive(pid: number, startTime: number): boolean {
  return liveProcess(pid)?.startTime === startTime;
}

/** The second field is the program's name in parentheses, which itself may hold spaces, parentheses and newlines. */
export function parseStat(text: string): ProcessStat {
  const nameEnd = text.lastIndexOf(")");
  const fields = text.slice(nameEnd + 2).split(" ");
  const [state, session, startTime] = [fields[0], fields[3], fields[19]];
  if (nameEnd < 0 || state === undefined || session === undefined || startTime === undefined) {
    throw new Error(`a stat file of /proc reads ${JSON.stringify(text)}`);
  }
  return { pid: Number.parseInt(text, 10), state, session: Number(session), startTime: Number(startTime) };
}

/** Live processes of a session. */
export function sessionMembers(session: number): readonly number[] {
  return allPids().filter((pid) => liveProcess(pid)?.session === session);
}

/**
 * Live processes whose environment, as it was when they were executed, holds exactly `entry` (`NAME=value`). Processes
 * that this user may not read are left out: they are not ours to end either.
 */
export async function environmentCarriers(entry: string): Promise<readonly number[]> {
  const needle = Buffer.from(`\0${entry}\0`);
  const carriers: number[] = [];
  for (const pid of allPids()) {
    try {
      const environment = await readFile(`/proc/${pid}/environ`);
      const delimited = Buffer.concat([Buffer.of(0), environment, Buffer.of(0)]);
      if (delimited.includes(needle) && liveProcess(pid) !== undefined) carriers.push(pid);
    } catch (error) {
      if (!isGone(error) && !isForbidden(error)) throw error;
    }
  }
  return carriers;
}

/** The command line of a process for a person to read, at most `charactersMax` long. */
export function commandLine(pid: number, charactersMax = 200): string {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim();
    return (words || readFileSync(`/proc/${pid}/comm`, "utf8").trim()).slice(0, charactersMax);
  } catch (error) {
    if (isGone(error) || isForbidden(error)) return "";
    throw error;
  }
}

/** Sends a signal; false when the process is gone. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  // 0 and below name process groups, our own among them.
  if (pid <= 0) throw new Error(`no signal may be sent to pid ${pid}`);
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

function allPids(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Whether a file or process was not there (any more). */
export function isGone(error: unknown): boolean {
  return hasCode(error, "ENOENT", "ESRCH", "ENOTDIR");
}

function isForbidden(error: unknown): boolean {
  return hasCode(error, "EACCES", "EPERM");
}

/** Whether an error is one of the system's, with one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.some((code) => error.code === code);
}
