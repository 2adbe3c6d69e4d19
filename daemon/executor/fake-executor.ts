import {
  checkCommand,
  checkPart,
  ExecutorError,
  termGraceMsDefault,
  type CommandExit,
  type CommandSpec,
  type CommandState,
  type EndedBy,
  type Executor,
  type FoundPart,
  type PartEnd,
  type PartHandle,
  type StartedCommand,
} from "./executor.ts";
import { signalOf } from "./part-folder.ts";

/** The clock of a simulated machine. */
export interface FakeClock {
  bootClockMs(): number;
  /** Calls once, at `atMs` or at once when that has passed; the result takes the call back. */
  at(atMs: number, call: () => void): () => void;
}

/** What a command does instead of running a program. */
export interface FakeProgram {
  /** Null: until it is ended. */
  readonly runsForMs: number | null;
  readonly code: number;
  readonly onTerm: "end" | "ignore";
  /** Stuck in the kernel: not even KILL ends it. */
  readonly isStuck?: boolean;
  readonly stdout?: string;
}

export interface FakeExecutorOptions {
  readonly clock: FakeClock;
  readonly program: (command: CommandSpec) => FakeProgram;
}

interface FakePart {
  readonly handle: PartHandle;
  readonly commands: Map<string, FakeCommand>;
  deadlineMs: number | null;
  state: "open" | "ended" | "gone";
}

interface FakeCommand {
  readonly spec: CommandSpec;
  readonly program: FakeProgram;
  readonly startedAtMs: number;
  readonly ended: PromiseWithResolvers<CommandExit>;
  ending: { readonly by: EndedBy; readonly killAtMs: number } | null;
  exit: CommandExit | null;
  cancel: () => void;
}

/** As `killMsMax` of the process executor. */
const stuckMsMax = 2_000;

/**
 * An executor in memory that keeps the contract under a clock of the caller's. One instance is one machine: it stands
 * for the shims too, so a simulated restart of the daemon keeps it.
 */
export class FakeExecutor implements Executor {
  readonly #clock: FakeClock;
  readonly #program: (command: CommandSpec) => FakeProgram;
  readonly #parts = new Map<string, FakePart>();
  readonly #output = new Map<string, string>();

  constructor(options: FakeExecutorOptions) {
    this.#clock = options.clock;
    this.#program = options.program;
  }

  async openPart(part: PartHandle): Promise<void> {
    checkPart(part);
    const known = this.#parts.get(part.id);
    if (known !== undefined && known.state !== "open") throw partEnded(part);
    if (known === undefined) {
      this.#parts.set(part.id, { handle: part, commands: new Map(), deadlineMs: null, state: "open" });
    }
  }

  async start(part: PartHandle, spec: CommandSpec): Promise<StartedCommand> {
    checkPart(part);
    checkCommand(spec);
    const open = this.#open(part);
    const known = open.commands.get(spec.name);
    if (known !== undefined) return { name: spec.name, startedAtMs: known.startedAtMs, adopted: true };
    if (open.state !== "open") throw partEnded(part);
    const nowMs = this.#clock.bootClockMs();
    if (open.deadlineMs === null || open.deadlineMs <= nowMs) {
      throw new ExecutorError("no-deadline-ahead", `part ${part.id} has no deadline ahead: set one`);
    }
    const program = this.#program(spec);
    const command: FakeCommand = {
      spec,
      program,
      startedAtMs: nowMs,
      ended: Promise.withResolvers(),
      ending: null,
      exit: null,
      cancel: () => {},
    };
    open.commands.set(spec.name, command);
    this.#output.set(spec.stdoutPath, this.output(spec.stdoutPath) + (program.stdout ?? ""));
    this.#review(open, command);
    return { name: spec.name, startedAtMs: nowMs, adopted: false };
  }

  async wait(part: PartHandle, name: string, signal?: AbortSignal): Promise<CommandExit> {
    signal?.throwIfAborted();
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = (): void => reject(signal?.reason);
    signal?.addEventListener("abort", abort);
    try {
      return await Promise.race([this.#command(part, name).ended.promise, aborted]);
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  async stop(part: PartHandle, name: string, graceMs: number): Promise<CommandExit> {
    const command = this.#command(part, name);
    this.#requestStop(this.#open(part), command, graceMs);
    return command.ended.promise;
  }

  async endPart(part: PartHandle, graceMs: number): Promise<PartEnd> {
    checkPart(part);
    const known = this.#parts.get(part.id);
    if (known === undefined) return { kind: "gone" };
    if (known.state === "open") known.state = "ended";
    const commands = [...known.commands.values()];
    for (const command of commands) this.#requestStop(known, command, graceMs);
    const givenUp = Promise.withResolvers<void>();
    const cancel = this.#clock.at(this.#clock.bootClockMs() + graceMs + stuckMsMax, givenUp.resolve);
    await Promise.race([Promise.all(commands.map((command) => command.ended.promise)), givenUp.promise]);
    cancel();
    const left = commands.filter((command) => command.exit === null);
    if (left.length > 0) {
      return {
        kind: "left",
        processes: left.map(({ spec }, at) => ({ pid: at + 1, command: spec.argv.join(" ") })),
      };
    }
    known.state = "gone";
    return { kind: "gone" };
  }

  async setDeadline(
    part: PartHandle,
    atMs: number,
    options: { readonly allowEarlier?: boolean } = {},
  ): Promise<void> {
    const open = this.#open(part);
    const isEarlier = open.deadlineMs !== null && atMs < open.deadlineMs;
    if (open.state !== "open" || (isEarlier && options.allowEarlier !== true)) return;
    open.deadlineMs = atMs;
    for (const command of open.commands.values()) this.#review(open, command);
  }

  async list(): Promise<readonly FoundPart[]> {
    return [...this.#parts.values()].map(({ handle, state, commands }) => ({
      part: handle,
      ended: state !== "open",
      commands: [...commands.values()].map((command) => ({
        name: command.spec.name,
        state: stateOf(command),
      })),
    }));
  }

  async forgetPart(part: PartHandle): Promise<void> {
    const known = this.#parts.get(part.id);
    if (known !== undefined && known.state !== "gone") {
      throw new ExecutorError(
        "part-not-gone",
        `part ${part.id} is not proven gone: end it before it is forgotten`,
      );
    }
    this.#parts.delete(part.id);
  }

  /** All that commands have printed to this path. */
  output(path: string): string {
    return this.#output.get(path) ?? "";
  }

  /** Kills the shim of a command, and with it the command. */
  loseShim(part: PartHandle, name: string): void {
    this.#finish(this.#command(part, name), 137, "shim-lost");
  }

  #requestStop(part: FakePart, command: FakeCommand, graceMs: number): void {
    if (command.exit !== null) return;
    const killAtMs = this.#clock.bootClockMs() + graceMs;
    if (command.ending === null) {
      this.#beginEnding(command, "stopped", killAtMs);
    } else if (killAtMs < command.ending.killAtMs) {
      command.ending = { ...command.ending, killAtMs };
    }
    this.#review(part, command);
  }

  #beginEnding(command: FakeCommand, by: EndedBy, killAtMs: number): void {
    command.ending = { by, killAtMs };
    if (command.program.onTerm === "end" && command.program.isStuck !== true) this.#finish(command, 143, by);
  }

  /** Does what is due for a command now, and asks to be called when the next thing is. */
  #review(part: FakePart, command: FakeCommand): void {
    command.cancel();
    const { program, spec } = command;
    const nowMs = this.#clock.bootClockMs();
    const deadlineMs = part.deadlineMs ?? 0;
    const endsAtMs = program.runsForMs === null ? Infinity : command.startedAtMs + program.runsForMs;
    if (command.exit === null && endsAtMs <= nowMs) {
      this.#finish(command, program.code, command.ending?.by ?? "itself");
    }
    const termAtMs = deadlineMs - (spec.termGraceMs ?? termGraceMsDefault);
    if (command.exit === null && command.ending === null && termAtMs <= nowMs) {
      this.#beginEnding(command, "deadline", deadlineMs);
    }
    if (command.ending !== null && deadlineMs < command.ending.killAtMs) {
      command.ending = { ...command.ending, killAtMs: deadlineMs };
    }
    if (command.exit !== null) return;
    if (command.ending !== null && command.ending.killAtMs <= nowMs) {
      if (program.isStuck !== true) this.#finish(command, 137, command.ending.by);
      return;
    }
    const nextMs = Math.min(endsAtMs, command.ending?.killAtMs ?? termAtMs);
    command.cancel = this.#clock.at(nextMs, () => this.#review(part, command));
  }

  #finish(command: FakeCommand, code: number, endedBy: EndedBy): void {
    if (command.exit !== null) return;
    command.cancel();
    const { startedAtMs } = command;
    const endedAtMs = this.#clock.bootClockMs();
    command.exit = { code, signal: signalOf(code), endedBy, startedAtMs, endedAtMs, reason: null };
    command.ended.resolve(command.exit);
  }

  #open(part: PartHandle): FakePart {
    const known = this.#parts.get(part.id);
    if (known !== undefined) return known;
    throw new ExecutorError("part-not-open", `part ${part.id} is not open on this node: open it first`);
  }

  #command(part: PartHandle, name: string): FakeCommand {
    const command = this.#parts.get(part.id)?.commands.get(name);
    if (command !== undefined) return command;
    throw new ExecutorError(
      "unknown-command",
      `no command ${name} is on record in part ${part.id}: start it first`,
    );
  }
}

function stateOf(command: FakeCommand): CommandState {
  return command.exit === null
    ? { kind: "running", startedAtMs: command.startedAtMs }
    : { kind: "exited", exit: command.exit };
}

function partEnded(part: PartHandle): ExecutorError {
  return new ExecutorError("part-ended", `part ${part.id} has ended: a new attempt is a new part`);
}
