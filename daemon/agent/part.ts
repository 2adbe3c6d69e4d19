import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { PartReport } from "../../scheduler/model/command.ts";
import type { CommandExit, Part as PlacedPart } from "../../scheduler/model/job.ts";
import type { LaunchResult, NodePaths, PartLaunch, TaskLaunch } from "../../scheduler/launch/launch.ts";
import { launchPart } from "../../scheduler/launch/launch.ts";
import { partOfHost } from "../../scheduler/launch/mpi.ts";
import { parseAddress } from "../../scheduler/model/address.ts";
import type { Executor, CommandExit as ExecutorExit, PartHandle } from "../executor/executor.ts";
import { ExecutorError } from "../executor/executor.ts";
import type { AssignedEntry, Ledger } from "./ledger.ts";
import { entryKey } from "./ledger.ts";
import type { Rendezvous } from "./preparation.ts";
import { prepareNode } from "./preparation.ts";

/** A remote command that was cut off waits this long for mpirun's own exit, which says more about the job. */
const REMOTE_FAILURE_GRACE_MS = 3_000;
const WATCH_RETRY_MS = 1_000;
/** Keeps the list of exits within what a report and a ledger entry may hold. */
const REMOTE_COMMANDS_MAX = 4_096;
/** As `docker run` says that it could not start a command. */
const EXIT_NOT_STARTED = 125;

export interface PartContext {
  readonly executor: Executor;
  readonly ledger: Ledger;
  /** Folder that holds one folder for each attempt. */
  readonly jobsDir: string;
  readonly paths: Omit<NodePaths, "attemptDir">;
  /** Boot clock instant until which ranks may run now, in ms. */
  readonly deadlineMs: () => number;
  /** The part has something new to report. */
  readonly onReport: () => void;
  readonly log: (line: string) => void;
}

interface OutputFiles {
  readonly stdoutPath: string;
  readonly stderrPath: string;
}

/** Where a command writes, for those who read its log. */
export interface CommandLog extends OutputFiles {
  /** True once the command has ended: the files grow no more. */
  readonly ended: boolean;
}

/**
 * One attempt's part on this node, from assignment to tombstone. Orders may come twice and in any phase; each is
 * carried out once. Operations on one part never overlap: the ledger sees them in the order in which they came.
 */
export class Part {
  readonly #context: PartContext;
  readonly #handle: PartHandle;
  readonly #launch: LaunchResult;
  /** Commands that are known to have started, by this daemon or an earlier one. */
  readonly #started = new Set<string>();
  readonly #exits: Map<string, CommandExit>;
  readonly #watching = new AbortController();
  #entry: AssignedEntry;
  #report: PartReport | null = null;
  #isEnding = false;
  #last: Promise<void> = Promise.resolve();

  constructor(context: PartContext, entry: AssignedEntry) {
    this.#context = context;
    this.#entry = entry;
    const { job, spec, attempt, partIndex } = entry;
    const dir = join(context.jobsDir, entryKey(entry));
    const node = attempt.parts[entry.partIndex]?.node ?? "";
    this.#handle = { id: entryKey(entry), dir, token: `${attempt.launch.token}.${node}` };
    const paths = { ...context.paths, attemptDir: dir };
    this.#launch = launchPart({ job, spec, attempt, partIndex, paths });
    this.#exits = new Map(entry.exits.map((exit) => [exit.command, exit]));
    if (entry.kind === "stopped") this.#report = { kind: "stopped", exits: entry.exits };
  }

  get entry(): AssignedEntry {
    return this.#entry;
  }

  /** An order to stop has come: from now on nothing is started and only the end is reported. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** What the leader should know now; null while there is nothing to say. */
  report(): PartReport | null {
    return this.#report;
  }

  /** Carries out the assignment up to, not including, the start. Safe to call again. */
  prepare(): Promise<void> {
    return this.#next(async () => {
      await this.#prepare();
    });
  }

  /**
   * Starts the tasks, and prepares first what an earlier daemon had prepared. Each start is idempotent by its name, so
   * this is also how a restarted daemon goes on. A task that can not be started counts as ended with 125. Throws when
   * the ledger or the deadline can not be written: call again.
   */
  start(): Promise<void> {
    return this.#next(async () => {
      if (this.#entry.kind === "assigned") {
        if (!(await this.#prepare())) return;
        await this.#write({ ...this.#entry, kind: "started" });
      }
      if (this.#launch.kind === "refused" || this.#entry.kind !== "started") return;
      await this.#context.executor.setDeadline(this.#handle, this.#context.deadlineMs());
      for (const task of this.#launch.tasks) {
        if (this.#isEnding || !(await this.#startTask(task, this.#launch))) return;
      }
    });
  }

  /** Watches the commands that an earlier daemon of this node started. */
  adopt(commandNames: readonly string[]): void {
    for (const name of commandNames) this.#watch(name);
  }

  /** Leaves the commands to themselves: this daemon ends. */
  leave(): void {
    this.#watching.abort();
  }

  /** Runs a command line for `gpumesh-rsh`, as this node's part of the job. The same name attaches to it. */
  runRemote(name: string, commandLine: string): Promise<void> {
    return this.#next(async () => {
      if (this.#entry.kind !== "started" || this.#isEnding || this.#launch.kind === "refused")
        throw new Error(`attempt ${this.#handle.id} does not run on this node now`);
      if (this.#started.has(name)) return;
      if (this.#started.size >= REMOTE_COMMANDS_MAX)
        throw new Error(`attempt ${this.#handle.id} has run ${REMOTE_COMMANDS_MAX} commands on this node`);
      await mkdir(this.#remoteFolder(), { recursive: true });
      await this.#run(name, ["/bin/sh", "-c", commandLine], this.#launch.environment, this.#launch);
    });
  }

  /** Ends a remote command. It waits for the start that may be under way. */
  async stopRemote(name: string, graceMs: number): Promise<void> {
    await this.#last;
    await this.#context.executor.stop(this.#handle, name, graceMs);
  }

  async waitRemote(name: string, signal: AbortSignal): Promise<CommandExit> {
    return exitOf(name, await this.#context.executor.wait(this.#handle, name, signal));
  }

  /**
   * Ends everything of the attempt here, proves it, writes the tombstone and only then reports it. Throws when
   * something is left or the tombstone can not be written: call again.
   */
  stop(graceMs: number): Promise<void> {
    this.#isEnding = true;
    return this.#next(async () => {
      if (this.#entry.kind === "stopped") return;
      const end = await this.#context.executor.endPart(this.#handle, graceMs);
      if (end.kind === "left") {
        const left = end.processes.map((process) => `${process.pid} (${process.command})`).join(", ");
        throw new Error(`attempt ${this.#handle.id}: these processes do not die: ${left}`);
      }
      this.#watching.abort();
      await this.#collectExits();
      const exits = this.#reportable();
      await this.#write({ ...this.#entry, kind: "stopped", exits });
      this.#say({ kind: "stopped", exits });
    });
  }

  /** Gives the running commands the lease's newest deadline. */
  async extendDeadline(deadlineMs: number): Promise<void> {
    if (this.#entry.kind === "started") await this.#context.executor.setDeadline(this.#handle, deadlineMs);
  }

  /**
   * True for the attempt's own secret, as any of its nodes has it: processes carry it with their node's name behind it,
   * so that nodes which are one machine do not take each other's processes for their own.
   */
  tokenIs(token: string): boolean {
    return token.split(".", 1)[0] === this.#entry.attempt.launch.token;
  }

  /** The node of the gang that the hostfile names so. */
  peer(host: string): PlacedPart | undefined {
    const { parts } = this.#entry.attempt;
    return parts[partOfHost(parts, host) ?? -1];
  }

  /** Null for a command that this part does not have. */
  log(command: string): CommandLog | null {
    const ended = this.#exits.has(command) || this.#entry.kind === "stopped";
    const isKnown =
      this.#task(command) !== undefined || this.#started.has(command) || this.#exits.has(command);
    return isKnown ? { ...this.#outputFiles(command), ended } : null;
  }

  /** True when the node is ready for the start. */
  async #prepare(): Promise<boolean> {
    if (this.#entry.kind !== "assigned" || this.#isEnding || this.#report?.kind === "refused") return false;
    if (this.#report?.kind === "prepared") return true;
    const reason =
      this.#launch.kind === "refused"
        ? this.#launch.reason
        : await prepareNode(this.#context.executor, this.#handle, this.#launch, this.#rendezvous());
    if (this.#isEnding) return false;
    this.#say(reason === null ? { kind: "prepared" } : { kind: "refused", reason });
    return reason === null;
  }

  /** The place that this node, as the head, must keep free; null on the others. */
  #rendezvous(): Rendezvous | null {
    const { parts, launch } = this.#entry.attempt;
    if (this.#entry.partIndex !== 0) return null;
    return { host: parseAddress(parts[0]?.address ?? "")?.host, port: launch.rendezvousPort };
  }

  /**
   * False when it can not be started: then the gang is lost, and the other tasks need not begin. A start that the lease
   * did not allow any more is not tried again either, for what had started before it is dead by then.
   */
  async #startTask(task: TaskLaunch, launch: PartLaunch): Promise<boolean> {
    if (this.#started.has(task.name)) return true;
    try {
      await this.#run(task.name, task.argv, task.environment, launch);
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const late = error instanceof ExecutorError && error.code === "no-deadline-ahead";
      const endedBy = late ? "deadline" : "itself";
      this.#exited({ command: task.name, code: EXIT_NOT_STARTED, endedBy, reason });
      return false;
    }
  }

  async #run(
    name: string,
    argv: readonly string[],
    env: Readonly<Record<string, string>>,
    launch: PartLaunch,
  ): Promise<void> {
    const cwd = launch.workingDirectory;
    await this.#context.executor.start(this.#handle, { name, argv, env, cwd, ...this.#outputFiles(name) });
    this.#watch(name);
  }

  #watch(name: string): void {
    this.#started.add(name);
    const { signal } = this.#watching;
    this.#context.executor.wait(this.#handle, name, signal).then(
      (exit) => this.#exited(exitOf(name, exit)),
      (error: unknown) => {
        if (signal.aborted) return;
        this.#context.log(`command ${name} of ${this.#handle.id} is looked at again: ${String(error)}`);
        setTimeout(() => {
          if (!signal.aborted) this.#watch(name);
        }, WATCH_RETRY_MS).unref();
      },
    );
  }

  #exited(exit: CommandExit): void {
    this.#exits.set(exit.command, exit);
    const isTask = this.#task(exit.command) !== undefined;
    const failed = exit.code !== 0 || exit.endedBy !== "itself";
    if (isTask) {
      if (failed || this.#tasks().every(({ name }) => this.#exits.has(name))) this.#reportExits();
    } else if (!isCallersBusiness(exit)) {
      setTimeout(() => this.#reportExits(), REMOTE_FAILURE_GRACE_MS).unref();
    }
  }

  #reportExits(): void {
    if (this.#entry.kind !== "started" || this.#isEnding || this.#report?.kind === "exited") return;
    this.#say({ kind: "exited", exits: this.#reportable() });
  }

  /** By what the job is judged. */
  #reportable(): readonly CommandExit[] {
    const exits = [...this.#exits.values()];
    return exits.filter((exit) => this.#task(exit.command) !== undefined || !isCallersBusiness(exit));
  }

  /** Reads the exits of what had started; the part is gone, so each is on record. */
  async #collectExits(): Promise<void> {
    for (const name of this.#started) {
      if (this.#exits.has(name)) continue;
      this.#exits.set(name, exitOf(name, await this.#context.executor.wait(this.#handle, name)));
    }
  }

  #tasks(): readonly TaskLaunch[] {
    return this.#launch.kind === "launch" ? this.#launch.tasks : [];
  }

  #task(name: string): TaskLaunch | undefined {
    return this.#tasks().find((task) => task.name === name);
  }

  #outputFiles(name: string): OutputFiles {
    const task = this.#task(name);
    if (task !== undefined && this.#launch.kind === "launch") {
      const { logDirectory } = this.#launch;
      return {
        stdoutPath: join(logDirectory, task.stdoutName),
        stderrPath: join(logDirectory, task.stderrName),
      };
    }
    const base = join(this.#remoteFolder(), name);
    return { stdoutPath: `${base}.out`, stderrPath: `${base}.err` };
  }

  #remoteFolder(): string {
    return join(this.#handle.dir, "rsh");
  }

  #say(report: PartReport): void {
    this.#report = report;
    this.#context.onReport();
  }

  async #write(entry: AssignedEntry): Promise<void> {
    await this.#context.ledger.write(entry);
    this.#entry = entry;
  }

  /** Runs `operation` after all earlier ones of this part; a failed one does not hold up the next. */
  #next(operation: () => Promise<void>): Promise<void> {
    const result = this.#last.then(operation);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

/**
 * A remote command's exit code goes to its caller, as ssh gives it, and what to make of it is for the caller to say:
 * the job ends as its tasks do. The same goes for a command that its caller stopped.
 */
function isCallersBusiness({ endedBy }: CommandExit): boolean {
  return endedBy === "itself" || endedBy === "stopped";
}

function exitOf(command: string, exit: ExecutorExit): CommandExit {
  return { command, code: exit.code, endedBy: exit.endedBy, reason: exit.reason };
}
