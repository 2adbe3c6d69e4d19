import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { PartReport } from "../../scheduler/model/command.ts";
import type { CommandExit, Part as PlacedPart } from "../../scheduler/model/job.ts";
import type { LaunchInput, LaunchResult, NodePaths, PartLaunch } from "../../scheduler/launch/launch.ts";
import { launchPart } from "../../scheduler/launch/launch.ts";
import { partOfHost } from "../../scheduler/launch/mpi.ts";
import { parseAddress } from "../../scheduler/model/address.ts";
import type { Executor, CommandExit as ExecutorExit, PartHandle } from "../executor/executor.ts";
import { ExecutorError } from "../executor/executor.ts";
import type { AssignedEntry, Ledger } from "./ledger.ts";
import { attemptKey } from "./ledger.ts";

/** A remote command that failed waits this long for mpirun's own exit, which says more about the job. */
const REMOTE_FAILURE_GRACE_MS = 3_000;

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

/** Where a command writes, for those who read its log. */
export interface CommandLog {
  readonly stdoutPath: string;
  readonly stderrPath: string;
  /** True once the command has ended: the files grow no more. */
  readonly ended: boolean;
}

/**
 * One attempt's part on this node, from assignment to tombstone. Orders may come twice and in any phase; each is
 * carried out once. Operations on one part never overlap, except that an order to stop ends a wait.
 */
export class Part {
  readonly #context: PartContext;
  readonly #handle: PartHandle;
  readonly #launch: LaunchResult;
  readonly #exits = new Map<string, CommandExit>();
  readonly #commands = new Map<string, { stdoutPath: string; stderrPath: string }>();
  readonly #watching = new AbortController();
  #entry: AssignedEntry;
  #report: PartReport | null = null;
  #prepared = false;
  #stopping: Promise<void> | null = null;
  #last: Promise<void> = Promise.resolve();

  constructor(context: PartContext, entry: AssignedEntry) {
    this.#context = context;
    this.#entry = entry;
    const dir = join(context.jobsDir, attemptKey(entry.job, entry.attempt.number));
    this.#handle = {
      id: attemptKey(entry.job, entry.attempt.number),
      dir,
      token: entry.attempt.launch.token,
    };
    const input: LaunchInput = {
      job: entry.job,
      spec: entry.spec,
      attempt: entry.attempt,
      partIndex: entry.partIndex,
      paths: { ...context.paths, attemptDir: dir },
    };
    this.#launch = launchPart(input);
    if (this.#launch.kind === "launch") {
      for (const task of this.#launch.tasks) {
        this.#commands.set(task.name, {
          stdoutPath: join(this.#launch.logDirectory, task.stdoutName),
          stderrPath: join(this.#launch.logDirectory, task.stderrName),
        });
      }
    }
    if (entry.kind === "stopped") this.#report = { kind: "stopped", exits: entry.exits };
  }

  get entry(): AssignedEntry {
    return this.#entry;
  }

  /** What the leader should know now; null while there is nothing to say. */
  report(): PartReport | null {
    return this.#report;
  }

  /** Carries out the assignment up to, not including, the start. Safe to call again. */
  prepare(): Promise<void> {
    return this.#next(async () => {
      if (this.#entry.kind !== "assigned" || this.#prepared || this.#report?.kind === "refused") return;
      const reason = await this.#refusal();
      if (this.#stopping !== null) return;
      if (reason === null) this.#prepared = true;
      this.#say(reason === null ? { kind: "prepared" } : { kind: "refused", reason });
    });
  }

  /**
   * Starts the tasks. Each start is idempotent by its name, so this is also how a restarted daemon goes on. A task
   * that can not be started counts as failed with 125. Throws ExecutorError `no-deadline-ahead` without a lease: call
   * again once there is one.
   */
  start(): Promise<void> {
    return this.#next(async () => {
      const launch = this.#launch;
      if (this.#entry.kind === "stopped" || this.#stopping !== null || launch.kind === "refused") return;
      if (this.#entry.kind === "assigned") {
        if (!this.#prepared) return;
        await this.#write({ ...this.#entry, kind: "started" });
      }
      await this.#context.executor.setDeadline(this.#handle, this.#context.deadlineMs());
      for (const task of launch.tasks) {
        if (this.#exits.has(task.name)) continue;
        try {
          await this.#run(task.name, task.argv, task.environment, launch);
        } catch (error) {
          if (error instanceof ExecutorError && error.code === "no-deadline-ahead") throw error;
          const reason = error instanceof Error ? error.message : String(error);
          this.#exited(task.name, { command: task.name, code: 125, endedBy: "itself", reason });
        }
      }
    });
  }

  /** Watches the commands that an earlier daemon of this node started. */
  async adopt(commandNames: readonly string[]): Promise<void> {
    await this.#next(() => {
      for (const name of commandNames) {
        if (!this.#commands.has(name)) this.#commands.set(name, this.#remoteLog(name));
        this.#watch(name);
      }
      return Promise.resolve();
    });
  }

  /** Runs a command line for `gpumesh-rsh`, as this node's part of the job. The same name attaches to it. */
  runRemote(name: string, commandLine: string): Promise<void> {
    return this.#next(async () => {
      if (this.#entry.kind !== "started" || this.#stopping !== null || this.#launch.kind === "refused")
        throw new Error(`attempt ${this.#handle.id} does not run on this node now`);
      if (this.#commands.has(name)) return;
      this.#commands.set(name, this.#remoteLog(name));
      await mkdir(join(this.#handle.dir, "rsh"), { recursive: true });
      const { environment } = this.#launch;
      await this.#run(name, ["/bin/sh", "-c", commandLine], environment, this.#launch);
    });
  }

  async stopRemote(name: string, graceMs: number): Promise<void> {
    await this.#context.executor.stop(this.#handle, name, graceMs);
  }

  async waitRemote(name: string, signal: AbortSignal): Promise<CommandExit> {
    return exitOf(name, await this.#context.executor.wait(this.#handle, name, signal));
  }

  /** Ends everything of the attempt here, proves it, writes the tombstone and only then reports it. */
  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stop(graceMs).finally(() => {
      if (this.#entry.kind !== "stopped") this.#stopping = null;
    });
    return this.#stopping;
  }

  /** Gives the running commands the lease's newest deadline. */
  async extendDeadline(deadlineMs: number): Promise<void> {
    if (this.#entry.kind === "started") await this.#context.executor.setDeadline(this.#handle, deadlineMs);
  }

  tokenIs(token: string): boolean {
    return token === this.#handle.token;
  }

  /** The node of the gang that the hostfile names so. */
  peer(host: string): PlacedPart | undefined {
    const { parts } = this.#entry.attempt;
    return parts[partOfHost(parts, host) ?? -1];
  }

  log(command: string): CommandLog | null {
    const paths = this.#commands.get(command);
    if (paths === undefined) return null;
    return { ...paths, ended: this.#exits.has(command) || this.#entry.kind === "stopped" };
  }

  async #stop(graceMs: number): Promise<void> {
    if (this.#entry.kind === "stopped") return;
    const end = await this.#context.executor.endPart(this.#handle, graceMs);
    if (end.kind === "left") {
      const left = end.processes.map((process) => `${process.pid} (${process.command})`).join(", ");
      this.#context.log(`attempt ${this.#handle.id}: these processes do not die: ${left}`);
      throw new Error(`attempt ${this.#handle.id} is not gone: ${left}`);
    }
    this.#watching.abort();
    await this.#collectExits();
    const exits = [...this.#exits.values()];
    await this.#write({ ...this.#entry, kind: "stopped", exits });
    this.#say({ kind: "stopped", exits });
  }

  /** Reads the exit records of all commands; the part is gone, so each has one or never started. */
  async #collectExits(): Promise<void> {
    const found = (await this.#context.executor.list()).find((part) => part.part.id === this.#handle.id);
    for (const { name, state } of found?.commands ?? []) {
      if (state.kind === "exited" && !this.#exits.has(name)) this.#exits.set(name, exitOf(name, state.exit));
    }
  }

  /** Why this node can not take the part, or null when all is ready. The hooks of preparation, in order. */
  async #refusal(): Promise<string | null> {
    const launch = this.#launch;
    if (launch.kind === "refused") return launch.reason;
    try {
      await this.#context.executor.openPart(this.#handle);
      for (const directory of launch.directories) await mkdir(directory, { recursive: true });
      for (const file of launch.files) await writeFile(file.path, file.content, { mode: file.mode });
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    return this.#entry.partIndex === 0 ? this.#portRefusal() : null;
  }

  /** The rendezvous port was chosen by the leader, which can not know what else listens here. */
  async #portRefusal(): Promise<string | null> {
    const address = this.#entry.attempt.parts[0]?.address ?? "";
    const host = parseAddress(address)?.host;
    const port = this.#entry.attempt.launch.rendezvousPort;
    const server = createServer();
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen({ host, port }, resolve);
      });
      return null;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
      return `rendezvous port ${port} of ${host} is not free (${code})`;
    } finally {
      server.close();
    }
  }

  async #run(
    name: string,
    argv: readonly string[],
    env: Readonly<Record<string, string>>,
    launch: PartLaunch,
  ): Promise<void> {
    const paths = this.#commands.get(name);
    if (paths === undefined) throw new Error(`command ${name} has no log files`);
    await this.#context.executor.start(this.#handle, {
      name,
      argv,
      env,
      cwd: launch.workingDirectory,
      ...paths,
    });
    this.#watch(name);
  }

  #watch(name: string): void {
    const signal = this.#watching.signal;
    this.#context.executor.wait(this.#handle, name, signal).then(
      (exit) => this.#exited(name, exitOf(name, exit)),
      (error: unknown) => {
        if (!signal.aborted) this.#context.log(`command ${name} of ${this.#handle.id}: ${String(error)}`);
      },
    );
  }

  #exited(name: string, exit: CommandExit): void {
    this.#exits.set(name, exit);
    if (this.#entry.kind !== "started" || this.#stopping !== null || this.#report?.kind === "exited") return;
    const isTask = this.#taskNames().includes(name);
    const failed = exit.code !== 0 || exit.endedBy !== "itself";
    if (failed && !isTask) setTimeout(() => this.#reportExits(), REMOTE_FAILURE_GRACE_MS).unref();
    else if (failed || (isTask && this.#taskNames().every((task) => this.#exits.has(task))))
      this.#reportExits();
  }

  #reportExits(): void {
    if (this.#entry.kind !== "started" || this.#stopping !== null || this.#report?.kind === "exited") return;
    this.#say({ kind: "exited", exits: [...this.#exits.values()] });
  }

  #taskNames(): readonly string[] {
    return this.#launch.kind === "launch" ? this.#launch.tasks.map((task) => task.name) : [];
  }

  #remoteLog(name: string): { stdoutPath: string; stderrPath: string } {
    const base = join(this.#handle.dir, "rsh", name);
    return { stdoutPath: `${base}.out`, stderrPath: `${base}.err` };
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

function exitOf(command: string, exit: ExecutorExit): CommandExit {
  return { command, code: exit.code, endedBy: exit.endedBy, reason: exit.reason };
}
