import { existsSync, mkdirSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bootClockMs, bootId } from "./boot-clock.ts";
import { openCgroups, removeCgroup, shimsCgroup, type CgroupSupport } from "./cgroup.ts";
import { commandGroup, type CommandGroup } from "./command-group.ts";
import { findTmpfs, makeDeadlineFolder, readDeadline, writeDeadline } from "./deadline-file.ts";
import {
  checkCommand,
  checkPart,
  ExecutorError,
  type CommandExit,
  type CommandSpec,
  type CommandState,
  type Executor,
  type FoundPart,
  type PartEnd,
  type PartHandle,
  type StartedCommand,
} from "./executor.ts";
import { untilFolderShows } from "./folder-watch.ts";
import { findLaunchTools, renderLaunch, type LaunchTools } from "./launch-file.ts";
import { endProcesses, killMsMax } from "./part-ending.ts";
import { existingCommand, PartFolder, tokenEntry, type CommandFolder } from "./part-folder.ts";
import { isAlive, sendSignal } from "./processes.ts";
import { ensureWatcher, spawnScript, type ShimScripts, type SpawnedScript } from "./watcher.ts";

export interface ProcessExecutorOptions {
  /** Where records are kept, absolute. One daemon's alone. */
  readonly stateDir: string;
  /** Names this daemon's cgroups and deadline files, such as `gpumesh-<instance>`. One daemon's alone. */
  readonly cgroupBaseName: string;
  /** Where deadline files go; a tmpfs of the system by default, `stateDir` where there is none. */
  readonly tmpfsDir?: string;
  /** Where shim.sh and watcher.sh are. */
  readonly shimDir?: string;
  /** `off` does without cgroups on a machine that has them. */
  readonly cgroups?: "auto" | "off";
}

/** How well this machine can end and fence what it runs. */
export interface ExecutorCapabilities {
  /** Without cgroups a process that leaves its session is found by its token only. */
  readonly cgroup: CgroupSupport;
  /** The kernel kills a command whose shim dies; otherwise its guard or the watcher does, up to a second later. */
  readonly parentDeathSignal: boolean;
  readonly deadlineOnTmpfs: boolean;
}

/** A change that no watch reported is found after this; so is a shim that died. */
const lookIntervalMs = 1_000;
const startLookIntervalMs = 100;
/** How long a shim that another daemon spawned may take to appear. */
const shimAppearMsMax = 10_000;

/**
 * Runs commands as processes of this machine, each under a shim (shim/shim.sh) that stands outside the daemon, keeps the
 * deadline, and records the exit. All state is on disk, so every instance with the same options is as good as any other.
 */
export class ProcessExecutor implements Executor {
  readonly capabilities: ExecutorCapabilities;
  readonly #stateDir: string;
  readonly #deadlineParent: string;
  readonly #deadlineFolderName: string;
  readonly #cgroupBase: string | null;
  readonly #bootId = bootId();
  readonly #tools: LaunchTools = findLaunchTools();
  readonly #scripts: ShimScripts;
  /** Starts under way, by command folder, so that two calls share one. */
  readonly #starting = new Map<string, Promise<StartedCommand>>();

  constructor(options: ProcessExecutorOptions) {
    const cgroup: CgroupSupport =
      options.cgroups === "off" ? { kind: "none", why: "switched off" } : openCgroups(options.cgroupBaseName);
    const tmpfs = options.tmpfsDir ?? findTmpfs();
    this.capabilities = {
      cgroup,
      parentDeathSignal: this.#tools.setpriv !== null,
      deadlineOnTmpfs: tmpfs !== undefined,
    };
    this.#stateDir = options.stateDir;
    this.#deadlineParent = tmpfs ?? options.stateDir;
    this.#deadlineFolderName = options.cgroupBaseName;
    this.#cgroupBase = cgroup.kind === "cgroup2" ? cgroup.base : null;
    this.#scripts = {
      stateDir: options.stateDir,
      shimDir: options.shimDir ?? join(import.meta.dirname, "shim"),
      shimsCgroup: this.#cgroupBase && shimsCgroup(this.#cgroupBase),
      bootId: this.#bootId,
    };
  }

  async openPart(part: PartHandle): Promise<void> {
    const folder = this.#folder(part);
    if (folder.ended)
      throw new ExecutorError("part-ended", `part ${part.id} has ended: a new attempt is a new part`);
    await mkdir(part.dir, { recursive: true });
    const deadlineFolder = makeDeadlineFolder(this.#deadlineParent, this.#deadlineFolderName);
    const { id, dir, token } = part;
    folder.create({
      id,
      dir,
      token,
      deadlineFile: folder.record()?.deadlineFile ?? join(deadlineFolder, id),
    });
    const cgroup = this.#partCgroup(part);
    if (cgroup !== null) await mkdir(cgroup, { recursive: true });
  }

  async start(part: PartHandle, command: CommandSpec): Promise<StartedCommand> {
    checkCommand(command);
    const folder = this.#folder(part).command(command.name);
    const underWay = this.#starting.get(folder.path);
    if (underWay !== undefined) return { ...(await underWay), adopted: true };
    const start = this.#start(part, command, folder).finally(() => this.#starting.delete(folder.path));
    this.#starting.set(folder.path, start);
    return start;
  }

  async wait(part: PartHandle, name: string, signal?: AbortSignal): Promise<CommandExit> {
    const folder = existingCommand(this.#folder(part), name);
    const beganMs = bootClockMs();
    const read = async (): Promise<CommandExit | undefined> => {
      const state = this.#state(folder);
      switch (state.kind) {
        case "exited":
          return state.exit;
        case "running":
          // The watcher is a process like any other, and may have been killed.
          ensureWatcher(this.#scripts);
          return undefined;
        case "not-started":
          if (this.#starting.has(folder.path) || bootClockMs() - beganMs < shimAppearMsMax) return undefined;
          return this.#giveUp(part, folder, "no shim took the command up", signal);
        case "shim-lost":
          return this.#giveUp(part, folder, "the shim was gone; the daemon ended the command", signal);
      }
    };
    return untilFolderShows(folder.path, read, { pollMs: lookIntervalMs, signal });
  }

  async stop(part: PartHandle, name: string, graceMs: number): Promise<CommandExit> {
    this.#requestStop(existingCommand(this.#folder(part), name), graceMs);
    return this.wait(part, name);
  }

  async endPart(part: PartHandle, graceMs: number): Promise<PartEnd> {
    const folder = this.#folder(part);
    const record = folder.record();
    // The mark comes first: a command that starts now sees it, or is in its group already and is ended below.
    if (existsSync(folder.path)) folder.markEnded();
    const commands = folder.commands();
    for (const command of commands) this.#requestStop(command, graceMs);
    const cgroup = this.#partCgroup(part);
    const groups = commands.map((command) => this.#group(part, command));
    const end = await endProcesses({ cgroup, groups, tokenEntry: tokenEntry(part) }, graceMs);
    if (end.kind === "left") return end;
    await Promise.all(commands.map((command) => this.#settle(part, command)));
    if (cgroup !== null) await removeCgroup(cgroup);
    if (record !== undefined) {
      await rm(record.deadlineFile, { force: true });
      folder.markGone();
    }
    return end;
  }

  async setDeadline(
    part: PartHandle,
    atMs: number,
    options: { readonly allowEarlier?: boolean } = {},
  ): Promise<void> {
    const folder = this.#folder(part);
    const path = this.#openRecord(part).deadlineFile;
    const standsMs = readDeadline(path);
    const isEarlier = standsMs !== undefined && atMs < standsMs;
    if (folder.ended || (isEarlier && options.allowEarlier !== true)) return;
    writeDeadline(path, atMs);
  }

  async list(): Promise<readonly FoundPart[]> {
    const found = PartFolder.list(this.#stateDir).flatMap((folder) => {
      const record = folder.record();
      if (record === undefined) return [];
      const { id, dir, token } = record;
      const commands = folder
        .commands()
        .map((command) => ({ name: command.name, state: this.#state(command) }));
      return [{ part: { id, dir, token }, ended: folder.ended, commands }];
    });
    if (found.some((part) => part.commands.some(({ state }) => state.kind === "running"))) {
      ensureWatcher(this.#scripts);
    }
    return found;
  }

  async forgetPart(part: PartHandle): Promise<void> {
    const folder = this.#folder(part);
    if (folder.record() !== undefined && !folder.gone) {
      throw new ExecutorError(
        "part-not-gone",
        `part ${part.id} is not proven gone: end it before it is forgotten`,
      );
    }
    await folder.remove();
  }

  async #start(part: PartHandle, command: CommandSpec, folder: CommandFolder): Promise<StartedCommand> {
    const record = this.#openRecord(part);
    const adopted = folder.shim() !== undefined || folder.exit() !== undefined;
    let spawned: SpawnedScript = { ended: null };
    if (!adopted) {
      if (this.#folder(part).ended) {
        throw new ExecutorError("part-ended", `part ${part.id} has ended: a new attempt is a new part`);
      }
      if ((readDeadline(record.deadlineFile) ?? 0) <= bootClockMs()) throw noDeadlineAhead(part);
      const cgroup = this.#commandCgroup(part, folder);
      // No await from the look at the mark of an end to the spawn: an end either is seen here or sees the folder.
      if (cgroup !== null) mkdirSync(cgroup, { recursive: true });
      const tokenFile = join(this.#folder(part).path, "token");
      const places = {
        deadlineFile: record.deadlineFile,
        tokenFile,
        cgroup,
        shimsCgroup: this.#scripts.shimsCgroup,
      };
      folder.create(renderLaunch(part, command, places, this.#tools));
      spawned = spawnScript(this.#scripts, "shim.sh", [folder.path]);
    }
    const startedAtMs = await untilFolderShows(
      folder.path,
      async () => this.#startedAt(part, folder, spawned),
      {
        pollMs: startLookIntervalMs,
      },
    );
    ensureWatcher(this.#scripts);
    return { name: command.name, startedAtMs, adopted };
  }

  /** When the command started, once that is known; undefined before. */
  async #startedAt(
    part: PartHandle,
    folder: CommandFolder,
    spawned: SpawnedScript,
  ): Promise<number | undefined> {
    // Asked before the state: a shim that had ended by then leaves no news to wait for.
    const ended = spawned.ended;
    const state = this.#state(folder);
    switch (state.kind) {
      case "running":
        return state.startedAtMs;
      case "exited":
        if (folder.started() === undefined && state.exit.endedBy === "deadline") throw noDeadlineAhead(part);
        return state.exit.startedAtMs;
      case "shim-lost":
        return (await this.#giveUp(part, folder, "the shim was gone; the daemon ended the command"))
          .startedAtMs;
      case "not-started":
        // A shim that finds the command taken up by another leaves it to that one.
        if (ended === null || folder.isTakenUp) return undefined;
        throw new ExecutorError(
          "shim-failed",
          `command ${folder.name} of part ${part.id} was not started: ${ended}. Look whether ${folder.path} can be written`,
        );
    }
  }

  #state(folder: CommandFolder): CommandState {
    const exit = folder.exit();
    if (exit !== undefined) return { kind: "exited", exit };
    const shim = folder.shim();
    if (shim === undefined) return { kind: "not-started" };
    if (shim.bootId === this.#bootId && isAlive(shim.pid, shim.startTime)) {
      const started = folder.started();
      return started === undefined
        ? { kind: "not-started" }
        : { kind: "running", startedAtMs: started.startedAtMs };
    }
    // The shim may have recorded the exit and left between the two looks.
    const last = folder.exit();
    return last === undefined ? { kind: "shim-lost" } : { kind: "exited", exit: last };
  }

  /** Ends a command that no shim looks after, and records that once its group is empty, however long that takes. */
  async #giveUp(
    part: PartHandle,
    folder: CommandFolder,
    reason: string,
    signal?: AbortSignal,
  ): Promise<CommandExit> {
    folder.markLost();
    const group = this.#group(part, folder);
    while (!group.isEmpty()) {
      group.kill();
      await sleep(10, undefined, { ...(signal && { signal }) });
    }
    const endedAtMs = bootClockMs();
    const startedAtMs = folder.started()?.startedAtMs ?? endedAtMs;
    return folder.recordExit({
      code: 137,
      signal: "SIGKILL",
      endedBy: "shim-lost",
      startedAtMs,
      endedAtMs,
      reason,
    });
  }

  /** Sees to it that a command of a part that is gone has its exit on record. */
  async #settle(part: PartHandle, folder: CommandFolder): Promise<void> {
    const giveUpAtMs = bootClockMs() + killMsMax;
    for (;;) {
      const state = this.#state(folder);
      if (state.kind === "exited") return;
      if (state.kind === "shim-lost" || bootClockMs() >= giveUpAtMs) {
        await this.#giveUp(part, folder, "the part was ended, and no shim recorded the exit");
        return;
      }
      await sleep(10);
    }
  }

  #requestStop(folder: CommandFolder, graceMs: number): void {
    if (this.#state(folder).kind === "exited") return;
    folder.requestStop(bootClockMs() + graceMs);
    const guard = folder.started()?.guard;
    // The guard looks five times a second; the signal makes it look now.
    if (guard?.bootId === this.#bootId && isAlive(guard.pid, guard.startTime))
      sendSignal(guard.pid, "SIGUSR1");
  }

  #openRecord(part: PartHandle): { readonly deadlineFile: string } {
    const record = this.#folder(part).record();
    if (record !== undefined) return record;
    throw new ExecutorError("part-not-open", `part ${part.id} is not open on this node: open it first`);
  }

  #folder(part: PartHandle): PartFolder {
    checkPart(part);
    return new PartFolder(this.#stateDir, part.id);
  }

  #group(part: PartHandle, folder: CommandFolder): CommandGroup {
    return commandGroup(folder, this.#commandCgroup(part, folder), this.#bootId);
  }

  #partCgroup(part: PartHandle): string | null {
    return this.#cgroupBase && join(this.#cgroupBase, `part-${part.id}`);
  }

  #commandCgroup(part: PartHandle, folder: CommandFolder): string | null {
    const partCgroup = this.#partCgroup(part);
    return partCgroup && join(partCgroup, folder.name);
  }
}

function noDeadlineAhead(part: PartHandle): ExecutorError {
  return new ExecutorError(
    "no-deadline-ahead",
    `part ${part.id} has no deadline ahead, so nothing of it may start: set one`,
  );
}
