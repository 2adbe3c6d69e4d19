import { chmod, rm } from "node:fs/promises";
import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import { jobId } from "../../../scheduler/model/ids.ts";
import type { Peers } from "../../mesh/peers.ts";
import type { Agent } from "../agent.ts";
import type { ShellAnswer, ShellRequest } from "./protocol.ts";
import { isStop, lineSplitter, parseRequest } from "./protocol.ts";
import { RemoteCommand } from "./remote-command.ts";
import type { ShellExit, ShellSink } from "./run-shell.ts";
import { EXIT_NOT_PERMITTED, runShell, shellCommandName, stopShell, writeAtPace } from "./run-shell.ts";

const CALLERS_MAX = 4_096;

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
    let stop: (() => void) | null = null;
    const split = lineSplitter((line) => {
      if (stop === null) stop = this.#begin(parseRequest(line), socket, gone.signal);
      else if (isStop(line)) stop();
    });
    socket.on("data", (chunk: Buffer) => {
      try {
        split(chunk);
      } catch (error) {
        hangUp(socket, { code: EXIT_NOT_PERMITTED, reason: String(error) });
      }
    });
  }

  /** Carries out a request; returns what stops it. A caller without an exit would call again and again. */
  #begin(request: ShellRequest | null, socket: Socket, signal: AbortSignal): () => void {
    const refuse = (reason: string): (() => void) => {
      hangUp(socket, { code: EXIT_NOT_PERMITTED, reason });
      return () => undefined;
    };
    if (request === null) return refuse("the daemon does not understand the request");
    const part = this.#agent.part(jobId(request.job), request.attempt);
    if (part === undefined || !part.tokenIs(request.token))
      return refuse(`no attempt ${request.job}.${request.attempt} with that token runs on this node`);
    const peer = part.peer(request.host);
    if (peer === undefined) {
      const nodes = part.entry.attempt.parts.map((placed) => placed.node).join(", ");
      return refuse(`${request.host} is not a node of this job attempt; its nodes are ${nodes}`);
    }
    const sink: ShellSink = (stream, data) => writeAtPace(socket, answerLine(stream, data), signal);
    const finish = (exiting: Promise<ShellExit>): void => {
      exiting.then(
        (exit) => hangUp(socket, exit),
        (error: unknown) => {
          if (!signal.aborted) refuse(String(error));
        },
      );
    };
    if (peer.node !== this.#self) {
      const remote = new RemoteCommand(this.#peers, peer.node, request, sink, signal);
      finish(remote.run());
      return () => remote.stop();
    }
    const name = shellCommandName(request.id);
    finish(runShell(part, { ...request, name }, sink, signal));
    return () => void stopShell(part, name).catch(() => undefined);
  }
}

function answerLine(stream: "stdout" | "stderr", data: Buffer): string {
  const text = data.toString("base64");
  const answer: ShellAnswer = stream === "stdout" ? { stdout: text } : { stderr: text };
  return `${JSON.stringify(answer)}\n`;
}

function hangUp(socket: Socket, { code, reason }: ShellExit): void {
  const answer: ShellAnswer = { exit: code, reason };
  socket.end(`${JSON.stringify(answer)}\n`);
}
