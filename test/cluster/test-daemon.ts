import { spawn, type ChildProcess } from "node:child_process";
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { findCgroup2, killCgroup, removeCgroup } from "../../daemon/executor/cgroup.ts";
import { findTmpfs } from "../../daemon/executor/deadline-file.ts";
import { repositoryRoot } from "../machine.ts";

const daemonProgram = join(repositoryRoot, "daemon/main.ts");
const startMsMax = 60_000;
const endMsMax = 10_000;
const lookIntervalMs = 20;

export interface TestDaemonOptions {
  readonly name: string;
  readonly address: string;
  /** Its data folder. */
  readonly folder: string;
  /** A command line to put before the daemon's own, e.g. to run it in a network namespace. */
  readonly wrap: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** One daemon of a test mesh, as a process of its own. */
export class TestDaemon {
  readonly name: string;
  readonly address: string;
  readonly folder: string;
  readonly #options: TestDaemonOptions;
  #process: ChildProcess | null = null;

  constructor(options: TestDaemonOptions) {
    this.#options = options;
    this.name = options.name;
    this.address = options.address;
    this.folder = options.folder;
  }

  /** Runs the daemon's program with these words to its end and gives what it printed. Rejects when it fails. */
  async run(...words: readonly string[]): Promise<string> {
    const { code, output } = await this.attempt(...words);
    if (code !== 0) throw new Error(`gpumeshd ${words.join(" ")} exited with ${code}: ${output}`);
    return output;
  }

  /** As `run`, for what is expected to fail. */
  async attempt(
    ...words: readonly string[]
  ): Promise<{ readonly code: number | null; readonly output: string }> {
    const child = this.#spawn(words);
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const code = await new Promise<number | null>((done) => child.once("close", done));
    return { code, output };
  }

  /** Resolves once the daemon serves. */
  async start(): Promise<void> {
    const ready = join(this.folder, "ready");
    rmSync(ready, { force: true });
    const child = this.#spawn(["run", "--data", this.folder]);
    this.#process = child;
    const keep = (chunk: Buffer): void => appendFileSync(join(this.folder, "daemon.log"), chunk);
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    await untilOrThrow(
      () => {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`${this.name} did not start: ${this.log()}`);
        return existsSync(ready);
      },
      startMsMax,
      () => `${this.name} does not serve: ${this.log()}`,
    );
  }

  /** kill -9 of the daemon alone: its shims and ranks go on. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  /** SIGSTOP: it does nothing until `resume`, and its connections stand. */
  pause(): void {
    this.#process?.kill("SIGSTOP");
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  /** kill -9 of everything on the node, as when its VM dies: daemon, shims, watcher and ranks. */
  async killNode(): Promise<void> {
    const ended = this.#end("SIGKILL");
    const base = this.#cgroup();
    if (base !== null && existsSync(base)) killCgroup(base);
    await ended;
    await untilOrThrow(
      () => {
        const left = this.processes();
        for (const pid of left) killProcess(pid);
        return left.length === 0;
      },
      endMsMax,
      () => `processes of ${this.name} do not die: ${this.processes().join(", ")}`,
    );
  }

  /** Removes what the daemon keeps outside its data folder. Only after `killNode`. */
  async removeTraces(): Promise<void> {
    const base = this.#cgroup();
    if (base !== null) await removeCgroup(base);
    const tmpfs = findTmpfs();
    const instance = this.#instance();
    if (tmpfs !== undefined && instance !== null)
      rmSync(join(tmpfs, instance), { recursive: true, force: true });
  }

  /** Shims, watcher and ranks of this node: whatever names its data folder in its arguments or environment. */
  processes(): readonly number[] {
    return readdirSync("/proc")
      .map(Number)
      .filter((pid) => pid > 0 && pid !== process.pid && pid !== this.pid && this.#owns(pid));
  }

  /** 0 while it does not run. */
  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** An index that its raft log holds durably, and that it comes to hold soon after any newer one. */
  syncedIndex(): number {
    // The two slots of the file, as daemon/raft/synced-mark.ts writes them.
    const bytes = readFileSync(join(this.folder, "raft", "last-synced"));
    return Math.max(...[8, 40].map((at) => (bytes.length < at + 8 ? 0 : Number(bytes.readBigUInt64BE(at)))));
  }

  log(): string {
    const path = join(this.folder, "daemon.log");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  #owns(pid: number): boolean {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
      const command = readFileSync(`/proc/${pid}/cmdline`, "latin1");
      return `${environment}\0${command}`.includes(`${this.folder}/`);
    } catch {
      return false;
    }
  }

  /** The name of what the daemon keeps on tmpfs and of its cgroup; null before it was set up. */
  #instance(): string | null {
    const path = join(this.folder, "daemon.json");
    if (!existsSync(path)) return null;
    const { meshId } = JSON.parse(readFileSync(path, "utf8")) as { readonly meshId: string };
    return `gpumesh-${meshId}-${this.name}`;
  }

  #cgroup(): string | null {
    const root = findCgroup2(readFileSync("/proc/mounts", "utf8"));
    const instance = this.#instance();
    return root === undefined || instance === null ? null : join(root, instance);
  }

  #spawn(words: readonly string[]): ChildProcess {
    const { wrap, environment } = this.#options;
    const [program = process.execPath, ...rest] = [...wrap, process.execPath, daemonProgram, ...words];
    return spawn(program, rest, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...environment },
    });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((done) => child.once("exit", done));
    child.kill(signal);
    await exited;
  }
}

/** Looks again and again until it holds; throws with `what` when that takes longer than `msMax`. */
export async function untilOrThrow(
  holds: () => boolean | Promise<boolean>,
  msMax: number,
  what: () => string,
): Promise<void> {
  const deadline = performance.now() + msMax;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${msMax} ms: ${what()}`);
    await delay(lookIntervalMs);
  }
}

/** The arguments of a process, each with a NUL after it; empty for one that has ended. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself meanwhile.
  }
}
