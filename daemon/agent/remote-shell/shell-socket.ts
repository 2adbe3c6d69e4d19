import { chmod, rm } from "node:fs/promises";
import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import * as grpc from "@grpc/grpc-js";
import { jobId } from "../../../scheduler/model/ids.ts";
import type { ShellInput } from "../../../proto/gen/gpumesh/v1/ShellInput.ts";
import type { ShellOutput__Output } from "../../../proto/gen/gpumesh/v1/ShellOutput.ts";
import type { Peers } from "../../mesh/peers.ts";
import type { Agent } from "../agent.ts";
import type { ShellAnswer, ShellRequest } from "./protocol.ts";
import { isStop, lineSplitter, parseRequest } from "./protocol.ts";
import { runShell, shellCommandName, stopShell } from "./run-shell.ts";

const CALLERS_MAX = 4_096;
const REDIAL_DELAY_MS = 200;
/** As ssh says "could not connect". */
const EXIT_NOT_PERMITTED = 255;

/** The local half of gpumesh-rsh: a Unix socket on which ranks' launchers ask for commands on their gang's nodes. */
export class ShellSocket {
  readonly #agent: Agent;
  readonly #peers: Peers;
  readonly #self: string;
  readonly #path: string;
  readonly #server: Server;
  readonly #callers = new Set<Socket>();

  constructor(options: { agent: Agent; peers: Peers; self: string; path: string }) {
    this.#agent = options.agent;
    this.#peers = options.peers;
    this.#self = options.self;
    this.#path = options.path;
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = CALLERS_MAX;
  }

  async start(): Promise<void> {
    await rm(this.#path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#path, resolve);
    });
    // Jobs may run as other users one day; the attempt's token is what permits, not the file's owner.
    await chmod(this.#path, 0o666);
  }

  async stop(): Promise<void> {
    for (const socket of this.#callers) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    this.#callers.add(socket);
    const gone = new AbortController();
    socket.on("close", () => {
      this.#callers.delete(socket);
      gone.abort();
    });
    socket.on("error", () => socket.destroy());
    let session: ShellSession | null = null;
    const split = lineSplitter((line) => {
      if (session !== null) {
        if (isStop(line)) session.stop();
        return;
      }
      const request = parseRequest(line);
      if (request === null) socket.destroy();
      else session = this.#begin(request, socket, gone.signal);
    });
    socket.on("data", (chunk: Buffer) => {
      try {
        split(chunk);
      } catch {
        socket.destroy();
      }
    });
  }

  #begin(request: ShellRequest, socket: Socket, signal: AbortSignal): ShellSession {
    const say = (answer: ShellAnswer): void => {
      socket.write(`${JSON.stringify(answer)}\n`);
    };
    const refuse = (reason: string): ShellSession => {
      say({ exit: EXIT_NOT_PERMITTED, reason });
      socket.end();
      return { stop: () => undefined };
    };
    const part = this.#agent.part(jobId(request.job), request.attempt);
    if (part === undefined || !part.tokenIs(request.token))
      return refuse(`no attempt ${request.job}.${request.attempt} with that token runs on this node`);
    const peer = part.peer(request.host);
    if (peer === undefined) {
      const nodes = part.entry.attempt.parts.map((placed) => placed.node).join(", ");
      return refuse(`${request.host} is not a node of this job attempt; its nodes are ${nodes}`);
    }
    const finish = (exit: { code: number; reason: string }): void => {
      say({ exit: exit.code, reason: exit.reason });
      socket.end();
    };
    if (peer.node !== this.#self) {
      const session = new RemoteSession(this.#peers, peer.node, request, { say, finish, signal });
      session.dial();
      return session;
    }
    const name = shellCommandName(request.id);
    const sink = {
      stdout: (data: Buffer) => say({ stdout: data.toString("base64") }),
      stderr: (data: Buffer) => say({ stderr: data.toString("base64") }),
    };
    runShell(part, { ...request, name }, sink, signal).then(finish, (error: unknown) => {
      if (!signal.aborted) finish({ code: EXIT_NOT_PERMITTED, reason: String(error) });
    });
    return { stop: () => void stopShell(part, name).catch(() => undefined) };
  }
}

interface ShellSession {
  stop(): void;
}

interface SessionPort {
  readonly say: (answer: ShellAnswer) => void;
  readonly finish: (exit: { code: number; reason: string }) => void;
  readonly signal: AbortSignal;
}

/**
 * A command on another node. The line to that node's daemon may break and come back: the command runs on meanwhile,
 * and no byte of its output is lost or repeated.
 */
class RemoteSession implements ShellSession {
  readonly #peers: Peers;
  readonly #node: string;
  readonly #request: ShellRequest;
  readonly #port: SessionPort;
  #stdoutOffset: number;
  #stderrOffset: number;
  #call: grpc.ClientDuplexStream<ShellInput, ShellOutput__Output> | null = null;
  #stopping = false;

  constructor(peers: Peers, node: string, request: ShellRequest, port: SessionPort) {
    this.#peers = peers;
    this.#node = node;
    this.#request = request;
    this.#port = port;
    this.#stdoutOffset = request.stdoutOffset;
    this.#stderrOffset = request.stderrOffset;
    port.signal.addEventListener("abort", () => this.#call?.cancel(), { once: true });
  }

  dial(): void {
    if (this.#port.signal.aborted) return;
    const line = this.#peers.line(this.#node);
    if (line === null) return this.#again();
    const call = line.peer.shell();
    this.#call = call;
    let ended = false;
    call.on("data", (output: ShellOutput__Output) => {
      if (output.stdout !== undefined && output.message === "stdout") {
        this.#stdoutOffset += output.stdout.length;
        this.#port.say({ stdout: output.stdout.toString("base64") });
      } else if (output.stderr !== undefined && output.message === "stderr") {
        this.#stderrOffset += output.stderr.length;
        this.#port.say({ stderr: output.stderr.toString("base64") });
      } else if (output.exit) {
        ended = true;
        this.#port.finish({ code: output.exit.code, reason: output.exit.reason });
      }
    });
    call.on("error", (error: grpc.ServiceError) => {
      if (ended || this.#port.signal.aborted) return;
      if (error.code === grpc.status.UNAVAILABLE || error.code === grpc.status.CANCELLED) this.#again();
      else this.#port.finish({ code: EXIT_NOT_PERMITTED, reason: error.details });
    });
    const { job, attempt, token, id, commandLine } = this.#request;
    const offsets = { stdoutOffset: this.#stdoutOffset, stderrOffset: this.#stderrOffset };
    call.write({ open: { jobId: job, attempt, token, id, commandLine, ...offsets } });
    if (this.#stopping) call.write({ stop: {} });
  }

  stop(): void {
    this.#stopping = true;
    this.#call?.write({ stop: {} });
  }

  /** No limit of its own: while the node is away the attempt's lease decides, not this line. */
  #again(): void {
    setTimeout(() => this.dial(), REDIAL_DELAY_MS);
  }
}
