import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { Attempt } from "../../../scheduler/model/job.ts";
import { bootClockMs } from "../../executor/boot-clock.ts";
import { ProcessHarness, until } from "../../executor/process-executor-harness.ts";
import type { Directory } from "../../mesh/directory.ts";
import { Agent } from "../agent.ts";
import { afterwards, assignedEntry, JOB, nodeFacts, temporaryFolder, TOKEN } from "../agent.fixture.ts";
import { Ledger } from "../ledger.ts";
import { linesTo, ScriptedLeader } from "../scripted-leader.fixture.ts";
import type { ShellRequest } from "./protocol.ts";
import { lineSplitter, parseAnswer } from "./protocol.ts";
import { serveShell } from "./shell-service.ts";
import { ShellSocket } from "./shell-socket.ts";

const DEADLINE_MS = 60_000;

/** A node with real processes on which an attempt of a job has started; its daemon can be restarted. */
export class ShellNode {
  readonly name: string;
  readonly socketPath: string;
  readonly directory: Directory;
  readonly #dataDir = temporaryFolder();
  readonly #harness = new ProcessHarness("off");
  readonly #peers: ReturnType<typeof linesTo>["peers"];
  #agent: Agent | null = null;
  #socket: ShellSocket | null = null;
  #server: ScriptedLeader | null = null;

  private constructor(name: string) {
    this.name = name;
    this.socketPath = join(this.#dataDir, "rsh.sock");
    const { directory, peers } = linesTo();
    this.directory = directory;
    this.#peers = peers;
  }

  static async start(name: string, attempt: Attempt): Promise<ShellNode> {
    const node = new ShellNode(name);
    afterwards(() => node.#harness.close());
    const handle = { id: `${JOB}.1`, dir: join(node.#dataDir, "jobs", `${JOB}.1`), token: TOKEN };
    const { executor } = node.#harness;
    await executor.openPart(handle);
    await executor.setDeadline(handle, bootClockMs() + DEADLINE_MS);
    const partIndex = attempt.parts.findIndex((part) => part.node === name);
    const ledger = await Ledger.open(join(node.#dataDir, "ledger"));
    await ledger.write(await assignedEntry({ kind: "started", attempt, partIndex }));
    await node.startDaemon();
    afterwards(() => node.stopDaemon());
    return node;
  }

  /** Where this node's daemon can be reached by others; a new address after each restart. */
  get address(): string {
    return this.#server?.address ?? "";
  }

  knows(...others: readonly ShellNode[]): void {
    const entry = { number: 1, raftRole: "client" } as const;
    this.directory.replace(others.map(({ name, address }) => ({ ...entry, name, address })));
  }

  async startDaemon(): Promise<void> {
    const agent = await Agent.open({
      self: this.name,
      dataDir: this.#dataDir,
      executor: this.#harness.executor,
      directory: this.directory,
      peers: this.#peers,
      facts: () => nodeFacts(this.name),
      paths: { rshProgram: "/opt/rsh", path: "/usr/bin:/bin", home: "/root" },
      bootClockMs,
      onLeftBehind: () => undefined,
      log: () => undefined,
    });
    this.#agent = agent;
    this.#socket = new ShellSocket({ agent, peers: this.#peers, self: this.name, path: this.socketPath });
    await this.#socket.start();
    this.#server = await ScriptedLeader.start(this.name, (call) => serveShell(agent, call));
  }

  async stopDaemon(): Promise<void> {
    this.#agent?.stop();
    await this.#socket?.stop();
    this.#server?.stop();
  }

  caller(host: string, commandLine: string, request: Partial<ShellRequest> = {}): Caller {
    const whole = {
      job: JOB,
      attempt: 1,
      token: TOKEN,
      id: newId(),
      host,
      commandLine,
      ...noOffsets,
      ...request,
    };
    return new Caller(this.socketPath, `${JSON.stringify(whole)}\n`);
  }
}

const noOffsets = { stdoutOffset: 0, stderrOffset: 0 };

export function newId(): string {
  return randomBytes(8).toString("hex");
}

/** Stands for gpumesh-rsh on the daemon's socket. */
export class Caller {
  stdout = Buffer.alloc(0);
  stderr = Buffer.alloc(0);
  readonly #socket: Socket;
  #exit: { readonly code: number; readonly reason: string } | null = null;
  #isClosed = false;

  constructor(socketPath: string, firstLine: string) {
    this.#socket = connect(socketPath);
    const take = lineSplitter((line) => {
      const answer = parseAnswer(line);
      if (answer === null) throw new Error(`the daemon says ${line}`);
      if ("stdout" in answer)
        this.stdout = Buffer.concat([this.stdout, Buffer.from(answer.stdout, "base64")]);
      else if ("stderr" in answer)
        this.stderr = Buffer.concat([this.stderr, Buffer.from(answer.stderr, "base64")]);
      else this.#exit = { code: answer.exit, reason: answer.reason };
    });
    this.#socket.on("data", take);
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", () => (this.#isClosed = true));
    this.#socket.write(firstLine);
  }

  say(line: string): void {
    this.#socket.write(line);
  }

  hangUp(): void {
    this.#socket.destroy();
  }

  /** Waits until the command has printed so much. */
  async printed(text: string): Promise<void> {
    await until(() => this.stdout.toString() === text);
  }

  /** Waits for the exit, and for the daemon to hang up. */
  async exit(): Promise<{ readonly code: number; readonly reason: string }> {
    await until(() => this.#isClosed);
    if (this.#exit === null) throw new Error("the daemon hung up without an exit");
    return this.#exit;
  }
}
