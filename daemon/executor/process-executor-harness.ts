import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bootClockMs } from "./boot-clock.ts";
import { findCgroup2, killCgroup, removeCgroup } from "./cgroup.ts";
import type { ContractProgram, ExecutorHarness } from "./executor-contract.ts";
import type { CommandSpec, PartHandle } from "./executor.ts";
import { CommandFolder } from "./part-folder.ts";
import { ProcessExecutor, type ProcessExecutorOptions } from "./process-executor.ts";
import { isAlive, liveProcess, sendSignal } from "./processes.ts";

/** A machine of its own for one test: folders with spaces in their names, its own cgroups, and real processes. */
export class ProcessHarness implements ExecutorHarness {
  readonly root = mkdtempSync(join(tmpdir(), "executor test's "));
  readonly options: ProcessExecutorOptions;
  readonly executor: ProcessExecutor;
  readonly #children: ChildProcess[] = [];

  constructor(cgroups: "auto" | "off") {
    const stateDir = join(this.root, "state dir");
    this.options = { stateDir, cgroupBaseName: `gpumesh-test-${process.pid}-${serial++}`, cgroups };
    this.executor = new ProcessExecutor(this.options);
  }

  bootClockMs(): number {
    return bootClockMs();
  }

  async pass(ms: number): Promise<void> {
    if (ms > 0) await sleep(ms);
  }

  newPart(): PartHandle {
    const longName = "attempt ".repeat(30).trim();
    return {
      id: "12.1",
      dir: join(this.root, longName),
      token: `token-${process.pid}-${serial++}-of-a-test`,
    };
  }

  command(name: string, program: ContractProgram): CommandSpec {
    return this.shellCommand(
      name,
      this.#script(program),
      program.kind === "missing" ? "/missing" : undefined,
    );
  }

  /** A command that runs `script` in sh, or `path` when one is given. */
  shellCommand(name: string, script: string, path?: string): CommandSpec {
    const outputs = join(this.root, "out puts");
    mkdirSync(outputs, { recursive: true });
    return {
      name,
      argv: path === undefined ? ["sh", "-c", script] : [path],
      env: { PATH: "/usr/bin:/bin" },
      cwd: this.root,
      stdoutPath: join(outputs, `${name}.out`),
      stderrPath: join(outputs, `${name}.err`),
    };
  }

  async startReady(part: PartHandle, command: CommandSpec): Promise<void> {
    await this.executor.start(part, command);
    await until(() => this.output(command).includes("ready"));
  }

  output(command: CommandSpec): string {
    return existsSync(command.stdoutPath) ? readFileSync(command.stdoutPath, "utf8") : "";
  }

  /** The records of a command. */
  folder(part: PartHandle, name: string): CommandFolder {
    return new CommandFolder(join(this.options.stateDir, "parts", part.id, "commands", name), name);
  }

  /** Numbers that the command printed as `key=number`. */
  printed(command: CommandSpec, key: string): number {
    const match = new RegExp(`^${key}=(\\d+)$`, "m").exec(this.output(command));
    if (match === null) throw new Error(`${key} is not in ${JSON.stringify(this.output(command))}`);
    return Number(match[1]);
  }

  /** Another daemon process with the same options, which opens the part, starts the command and stays. */
  async otherDaemon(part: PartHandle, command: CommandSpec, deadlineMs: number): Promise<ChildProcess> {
    const module = new URL("./process-executor.ts", import.meta.url);
    const program = `
      const { ProcessExecutor } = await import(${JSON.stringify(module.href)});
      const executor = new ProcessExecutor(${JSON.stringify(this.options)});
      const part = ${JSON.stringify(part)};
      await executor.openPart(part);
      await executor.setDeadline(part, ${deadlineMs});
      await executor.start(part, ${JSON.stringify(command)});
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#children.push(child);
    let complaint = "";
    child.stderr?.on("data", (data: Buffer) => (complaint += data.toString()));
    await until(() => {
      if (child.exitCode !== null) throw new Error(`the other daemon ended: ${complaint}`);
      return this.output(command).includes("ready");
    });
    return child;
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    for (const found of await this.executor.list()) await this.executor.endPart(found.part, 0);
    const watcher = this.watcher();
    if (watcher !== undefined && sendSignal(watcher, "SIGKILL")) await until(() => !liveProcess(watcher));
    const { cgroup } = this.executor.capabilities;
    if (cgroup.kind === "cgroup2") {
      killCgroup(cgroup.base);
      await removeCgroup(cgroup.base);
    }
    rmSync(join("/dev/shm", this.options.cgroupBaseName), { recursive: true, force: true });
    rmSync(join("/run", this.options.cgroupBaseName), { recursive: true, force: true });
    rmSync(this.root, { recursive: true, force: true });
  }

  /** The pid of the watcher, while it is on record and alive. */
  watcher(): number | undefined {
    const path = join(this.options.stateDir, "watcher");
    if (!existsSync(path)) return undefined;
    const [, pid, startTime] = readFileSync(path, "utf8").trim().split(" ");
    return isAlive(Number(pid), Number(startTime)) ? Number(pid) : undefined;
  }

  #script(program: ContractProgram): string {
    switch (program.kind) {
      case "exits":
        return `printf '%s' '${program.stdout ?? ""}'; exit ${program.code}`;
      case "dies":
        return `kill -s ${program.signal.slice(3)} $$`;
      case "missing":
        return "";
      case "not-executable":
        writeFileSync(join(this.root, "plain file"), "", { mode: 0o644 });
        return `exec './plain file'`;
      case "runs":
        return `trap ${program.onTerm === "ignore" ? "''" : "'exit 143'"} TERM; echo ready; while :; do sleep 0.05; done`;
    }
  }
}

let serial = 0;

/** Why the tests with real cgroups cannot run here, or null. */
export function whyNoCgroups(): string | null {
  const root = findCgroup2(readFileSync("/proc/mounts", "utf8"));
  if (root === undefined) return "no cgroup v2 is mounted";
  if (process.getuid?.() !== 0) return "not root";
  return statfsSync(root).type === 0x63677270 ? null : `${root} is not a cgroup v2 file system`;
}

/** Looks until something holds. @throws after `timeoutMs`. */
export async function until(holds: () => boolean, timeoutMs = 10_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > endMs)
      throw new Error(`after ${timeoutMs} ms this still does not hold: ${holds.toString()}`);
    await sleep(5);
  }
}
