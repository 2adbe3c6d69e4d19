/**
 * The port behind which a node runs the commands of a job attempt.
 *
 * A **part** is all that one attempt runs on one node: one token, one deadline, one end. A **command** is one supervised
 * process tree in a part: a rank, `mpirun`, or a program that a remote shell asked for. Commands live outside the daemon:
 * they outlast it, and a new daemon finds them again with `list`.
 *
 * All instants are milliseconds of the boot clock (`/proc/uptime`), which counts time asleep and never steps.
 */
export interface Executor {
  /**
   * Makes the part ready for commands. Idempotent.
   * @throws ExecutorError `part-ended` when `endPart` was called for it, `bad-name` for an unusable id or token.
   */
  openPart(part: PartHandle): Promise<void>;

  /**
   * Starts a command and resolves once the start is on record. A program that cannot be executed counts as started and
   * exits with 126 or 127, as under a shell. A command that was already started under this name is adopted as it is,
   * ended or not; it never runs twice.
   * @throws ExecutorError `no-deadline-ahead`, `part-not-open`, `part-ended`, `bad-name`, `bad-command`, `shim-failed`.
   */
  start(part: PartHandle, command: CommandSpec): Promise<StartedCommand>;

  /**
   * Resolves when the command has ended and nothing of its group is left behind.
   * @throws ExecutorError `unknown-command`; the signal's reason when aborted.
   */
  wait(part: PartHandle, name: string, signal?: AbortSignal): Promise<CommandExit>;

  /** Sends TERM to the command's whole group and KILL after `graceMs`. Of several calls the earliest KILL counts. */
  stop(part: PartHandle, name: string, graceMs: number): Promise<CommandExit>;

  /**
   * Ends everything of the part and looks whether it is gone: TERM, `graceMs`, KILL, then no process in its groups and
   * none that carries its token. Nothing of the part starts afterwards. Safe to repeat, and for a part never opened.
   */
  endPart(part: PartHandle, graceMs: number): Promise<PartEnd>;

  /**
   * Moves the instant at which every command of the part is killed. An earlier instant than the one that stands is
   * ignored unless `allowEarlier`. Once commands have been sent TERM for a deadline, moving it no longer saves them.
   * @throws ExecutorError `part-not-open`.
   */
  setDeadline(part: PartHandle, atMs: number, options?: { readonly allowEarlier?: boolean }): Promise<void>;

  /** Every part that was opened and not forgotten, with each command's state, whoever started it. */
  list(): Promise<readonly FoundPart[]>;

  /**
   * Drops the records of a part, its exits included. The part must have been proven gone.
   * @throws ExecutorError `part-not-gone`.
   */
  forgetPart(part: PartHandle): Promise<void>;
}

export interface PartHandle {
  /** Job and attempt, such as `12.1`: `[a-z0-9][a-z0-9.-]*`, at most 128 characters. */
  readonly id: string;
  /** The attempt folder, absolute. */
  readonly dir: string;
  /** Secret mark that every process of the part carries as GPUMESH_ATTEMPT_TOKEN: 16 to 256 of `[A-Za-z0-9._~-]`. */
  readonly token: string;
}

export interface CommandSpec {
  /** Unique in the part, such as `task-0`: `[a-z0-9][a-z0-9-]*`, at most 128 characters. */
  readonly name: string;
  readonly argv: readonly string[];
  /** The whole environment of the command, but for GPUMESH_ATTEMPT_TOKEN, which is added. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Output is appended. Both may name the same file. */
  readonly stdoutPath: string;
  readonly stderrPath: string;
  /** How long before the deadline TERM is sent. */
  readonly termGraceMs?: number;
}

export const termGraceMsDefault = 1_000;

export interface StartedCommand {
  readonly name: string;
  readonly startedAtMs: number;
  /** The command was started earlier, perhaps by another daemon, and may have ended already. */
  readonly adopted: boolean;
}

export type EndedBy = "itself" | "stopped" | "deadline" | "shim-lost";

export interface CommandExit {
  /** As a shell gives it: 126 and 127 for a program that cannot run, 128 + n for signal n. */
  readonly code: number;
  /** The signal that `code` stands for. A program that exits with such a code by itself looks the same. */
  readonly signal: NodeJS.Signals | null;
  readonly endedBy: EndedBy;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly reason: string | null;
}

export type PartEnd =
  { readonly kind: "gone" } | { readonly kind: "left"; readonly processes: readonly LeftProcess[] };

export interface LeftProcess {
  readonly pid: number;
  readonly command: string;
}

export interface FoundPart {
  readonly part: PartHandle;
  readonly ended: boolean;
  readonly commands: readonly FoundCommand[];
}

export interface FoundCommand {
  readonly name: string;
  readonly state: CommandState;
}

/** `not-started`: asked for and not executed yet. `shim-lost`: the command has no shim left, and `wait` settles it. */
export type CommandState =
  | { readonly kind: "not-started" }
  | { readonly kind: "running"; readonly startedAtMs: number }
  | { readonly kind: "exited"; readonly exit: CommandExit }
  | { readonly kind: "shim-lost" };

export type ExecutorErrorCode =
  | "bad-name"
  | "bad-command"
  | "part-not-open"
  | "part-ended"
  | "part-not-gone"
  | "unknown-command"
  | "no-deadline-ahead"
  | "unsafe-folder"
  | "shim-failed";

/** An expected failure of an executor. The message says what happened and what to do next. */
export class ExecutorError extends Error {
  readonly code: ExecutorErrorCode;

  constructor(code: ExecutorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ExecutorError";
    this.code = code;
  }
}

/** @throws ExecutorError `bad-name` unless every field of the handle may be used in a path and in an environment. */
export function checkPart(part: PartHandle): void {
  if (!/^[a-z0-9][a-z0-9.-]{0,127}$/.test(part.id)) {
    throw new ExecutorError(
      "bad-name",
      `part id ${JSON.stringify(part.id)} is not usable: give one like "12.1"`,
    );
  }
  if (!/^[A-Za-z0-9._~-]{16,256}$/.test(part.token)) {
    throw new ExecutorError("bad-name", `the token of part ${part.id} is not 16 to 256 of [A-Za-z0-9._~-]`);
  }
  if (!part.dir.startsWith("/")) {
    throw new ExecutorError(
      "bad-name",
      `the folder of part ${part.id} is not absolute: ${JSON.stringify(part.dir)}`,
    );
  }
}

/** @throws ExecutorError `bad-name` or `bad-command` for what no process can be started with. */
export function checkCommand(command: CommandSpec): void {
  checkCommandName(command.name);
  const refuse = (why: string): never => {
    throw new ExecutorError("bad-command", `command ${command.name} cannot be started: ${why}`);
  };
  if (command.argv.length === 0 || command.argv[0] === "") refuse("argv names no program");
  for (const path of [command.cwd, command.stdoutPath, command.stderrPath]) {
    if (!path.startsWith("/")) refuse(`${JSON.stringify(path)} is not an absolute path`);
  }
  for (const name of Object.keys(command.env)) {
    if (name === "" || name.includes("=")) refuse(`${JSON.stringify(name)} cannot be the name of a variable`);
  }
  const strings = [...command.argv, ...Object.entries(command.env).flat(), command.cwd];
  if ([...strings, command.stdoutPath, command.stderrPath].some((text) => text.includes("\0"))) {
    refuse("a NUL character stands in its arguments, environment or paths");
  }
}

/** @throws ExecutorError `bad-name`. Dots are refused because the files of a cgroup, among which it stands, have them. */
export function checkCommandName(name: string): void {
  if (!/^[a-z0-9][a-z0-9-]{0,127}$/.test(name)) {
    throw new ExecutorError(
      "bad-name",
      `command name ${JSON.stringify(name)} is not usable: give one like "task-0"`,
    );
  }
}
