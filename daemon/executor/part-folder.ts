/**
 * The records of one part on disk, written by the executor and by the shims, and never by the job.
 *
 *     <stateDir>/parts/<id>/part.json          the handle and the deadline file's path
 *     <stateDir>/parts/<id>/token              the environment entry that marks the part's processes
 *     <stateDir>/parts/<id>/ended              nothing of this part may start any more
 *     <stateDir>/parts/<id>/gone               it has been proven that no process of it is left
 *     <stateDir>/parts/<id>/commands/<name>/   one command; shim/shim.sh names its files
 *
 * Records that shims write are one line; one without its newline is still being written and reads as absent.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { link, open, rm } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import {
  checkCommandName,
  ExecutorError,
  type CommandExit,
  type EndedBy,
  type PartHandle,
} from "./executor.ts";
import { hasCode, isGone } from "./processes.ts";

export interface PartRecord extends PartHandle {
  readonly deadlineFile: string;
}

export interface ProcessName {
  readonly bootId: string;
  readonly pid: number;
  readonly startTime: number;
}

export interface StartRecord {
  readonly guard: ProcessName;
  readonly command: ProcessName;
  readonly startedAtMs: number;
}

export class PartFolder {
  readonly path: string;

  constructor(stateDir: string, id: string) {
    this.path = join(stateDir, "parts", id);
  }

  static list(stateDir: string): readonly PartFolder[] {
    return namesIn(join(stateDir, "parts")).map((id) => new PartFolder(stateDir, id));
  }

  create(record: PartRecord): void {
    mkdirSync(join(this.path, "commands"), { recursive: true, mode: 0o700 });
    writeFileSync(join(this.path, "token"), `${tokenEntry(record)}\n`, { mode: 0o600 });
    replaceFile(join(this.path, "part.json"), JSON.stringify(record));
  }

  /** Undefined when the part was never opened, or not completely. */
  record(): PartRecord | undefined {
    const text = readIfThere(join(this.path, "part.json"));
    return text === undefined ? undefined : (JSON.parse(text) as PartRecord);
  }

  markEnded(): void {
    writeFileSync(join(this.path, "ended"), "");
  }

  get ended(): boolean {
    return existsSync(join(this.path, "ended"));
  }

  markGone(): void {
    writeFileSync(join(this.path, "gone"), "");
  }

  get gone(): boolean {
    return existsSync(join(this.path, "gone"));
  }

  command(name: string): CommandFolder {
    return new CommandFolder(join(this.path, "commands", name), name);
  }

  commands(): readonly CommandFolder[] {
    return namesIn(join(this.path, "commands")).map((name) => this.command(name));
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

export class CommandFolder {
  readonly path: string;
  readonly name: string;

  constructor(path: string, name: string) {
    this.path = path;
    this.name = name;
  }

  create(launch: string): void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    replaceFile(join(this.path, "launch"), launch);
  }

  get exists(): boolean {
    return existsSync(this.path);
  }

  /** Whether a shim took the command up, be its record complete or not. */
  get isTakenUp(): boolean {
    return existsSync(join(this.path, "shim"));
  }

  /** The shim that took the command up. */
  shim(): ProcessName | undefined {
    const fields = this.#line("shim")?.split(" ");
    return fields && processName(fields, 0, 1, 2);
  }

  started(): StartRecord | undefined {
    const fields = this.#line("started")?.split(" ");
    return (
      fields && {
        guard: processName(fields, 0, 1, 2),
        command: processName(fields, 0, 3, 4),
        startedAtMs: Number(fields[5]) * 10,
      }
    );
  }

  exit(): CommandExit | undefined {
    const line = this.#line("exit");
    const match = line === undefined ? undefined : /^(\d+) (\S+) (\d+) (\d+) ?([^]*)$/.exec(line);
    if (match === undefined) return undefined;
    if (match === null) throw new Error(`the exit record in ${this.path} reads ${JSON.stringify(line)}`);
    const [, code, endedBy, startedAt, endedAt, reason] = match;
    return {
      code: Number(code),
      signal: signalOf(Number(code)),
      endedBy: endedBy as EndedBy,
      startedAtMs: Number(startedAt) * 10,
      endedAtMs: Number(endedAt) * 10,
      reason: reason || null,
    };
  }

  /** Records an exit that no shim will record. One that is already on record stands; gives the one that does. */
  async recordExit(exit: CommandExit): Promise<CommandExit> {
    const own = join(this.path, `exit.${process.pid}`);
    const started = Math.floor(exit.startedAtMs / 10);
    const file = await open(own, "w", 0o600);
    try {
      const ended = Math.floor(exit.endedAtMs / 10);
      await file.writeFile(`${exit.code} ${exit.endedBy} ${started} ${ended} ${exit.reason ?? ""}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    try {
      await link(own, join(this.path, "exit"));
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
    await rm(own, { force: true });
    return this.exit() ?? exit;
  }

  /** Asks the guard to kill the command by `atMs`, with TERM now. Of several requests the earliest counts. */
  requestStop(atMs: number): void {
    const path = join(this.path, "stop");
    const standing = readIfThere(path);
    if (standing !== undefined && Number(standing) * 10 <= atMs) return;
    replaceFile(path, `${Math.floor(atMs / 10)}\n`);
  }

  /** After this no shim executes the command; one that is past its look at the mark is in the group already. */
  markLost(): void {
    writeFileSync(join(this.path, "lost"), "");
  }

  #line(file: string): string | undefined {
    const text = readIfThere(join(this.path, file));
    return text?.endsWith("\n") === true ? text.slice(0, -1) : undefined;
  }
}

/** The environment entry that every process of the part carries. */
export function tokenEntry(part: PartHandle): string {
  return `GPUMESH_ATTEMPT_TOKEN=${part.token}`;
}

/** The signal that a shell's exit code stands for, or null. */
export function signalOf(code: number): NodeJS.Signals | null {
  const found = Object.entries(constants.signals).find(([, number]) => number === code - 128);
  return found === undefined ? null : (found[0] as NodeJS.Signals);
}

/** Replaces a file in one step, so that a reader sees the old or the new text. Only its owner may read it. */
export function replaceFile(path: string, text: string): void {
  const next = `${path}.${process.pid}.next`;
  writeFileSync(next, text, { mode: 0o600 });
  renameSync(next, path);
}

/** The text of a file, or undefined when it is not there. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path).toSorted();
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function processName(fields: readonly string[], boot: number, pid: number, start: number): ProcessName {
  return { bootId: fields[boot] ?? "", pid: Number(fields[pid]), startTime: Number(fields[start]) };
}

/** @throws ExecutorError `bad-name`, or `unknown-command` unless the command was asked for in this part. */
export function existingCommand(folder: PartFolder, name: string): CommandFolder {
  checkCommandName(name);
  const command = folder.command(name);
  if (command.exists) return command;
  throw new ExecutorError(
    "unknown-command",
    `no command ${name} is on record in ${folder.path}: start it first`,
  );
}
