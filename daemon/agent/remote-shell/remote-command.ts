import { setTimeout as sleep } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";
import type { ShellInput } from "../../../proto/gen/gpumesh/v1/ShellInput.ts";
import type { ShellOutput__Output } from "../../../proto/gen/gpumesh/v1/ShellOutput.ts";
import type { Peers } from "../../mesh/peers.ts";
import type { ShellRequest } from "./protocol.ts";
import type { ShellExit, ShellSink } from "./run-shell.ts";
import { EXIT_NOT_PERMITTED } from "./run-shell.ts";

const REDIAL_DELAY_MS = 200;
/** What a daemon answers on purpose; every other failure is of the line. */
const REFUSALS: readonly grpc.status[] = [
  grpc.status.PERMISSION_DENIED,
  grpc.status.FAILED_PRECONDITION,
  grpc.status.UNIMPLEMENTED,
];

type ShellCall = grpc.ClientDuplexStream<ShellInput, ShellOutput__Output>;

/**
 * A command on another node. The line to that node's daemon may break and come back: the command runs on meanwhile,
 * and no byte of its output is lost or repeated.
 */
export class RemoteCommand {
  readonly #peers: Peers;
  readonly #node: string;
  readonly #request: ShellRequest;
  readonly #sink: ShellSink;
  readonly #gone: AbortSignal;
  #stdoutOffset: number;
  #stderrOffset: number;
  #call: ShellCall | null = null;
  #isStopping = false;

  /** `gone` aborts when nobody waits for the command any more. */
  constructor(peers: Peers, node: string, request: ShellRequest, sink: ShellSink, gone: AbortSignal) {
    this.#peers = peers;
    this.#node = node;
    this.#request = request;
    this.#sink = sink;
    this.#gone = gone;
    this.#stdoutOffset = request.stdoutOffset;
    this.#stderrOffset = request.stderrOffset;
    gone.addEventListener("abort", () => this.#call?.cancel(), { once: true });
  }

  /**
   * Resolves with the command's exit, or a refusal. Rejects when `gone` aborts. No limit of its own: while the node is
   * away the attempt's lease decides, not this line.
   */
  async run(): Promise<ShellExit> {
    for (;;) {
      this.#gone.throwIfAborted();
      const exit = await this.#attend();
      if (exit !== null) return exit;
      await sleep(REDIAL_DELAY_MS, undefined, { signal: this.#gone });
    }
  }

  stop(): void {
    this.#isStopping = true;
    this.#call?.write({ stop: {} });
  }

  /** One call, from where the last one broke; null when it broke too. */
  async #attend(): Promise<ShellExit | null> {
    const line = this.#peers.line(this.#node);
    if (line === null) return null;
    const call: ShellCall = line.peer.shell();
    this.#call = call;
    const { job, attempt, token, id, commandLine } = this.#request;
    const offsets = { stdoutOffset: this.#stdoutOffset, stderrOffset: this.#stderrOffset };
    call.write({ open: { jobId: job, attempt, token, id, commandLine, ...offsets } });
    if (this.#isStopping) call.write({ stop: {} });
    let exit: ShellExit | null = null;
    try {
      for await (const output of call as AsyncIterable<ShellOutput__Output>) {
        if (output.exit) exit = output.exit;
        else await this.#pass(output);
      }
    } catch (error) {
      if (exit === null && isRefusal(error)) return { code: EXIT_NOT_PERMITTED, reason: error.details };
    } finally {
      this.#call = null;
    }
    return exit;
  }

  async #pass(output: ShellOutput__Output): Promise<void> {
    if (output.message === "stdout" && output.stdout !== undefined) {
      this.#stdoutOffset += output.stdout.length;
      await this.#sink("stdout", output.stdout);
    } else if (output.message === "stderr" && output.stderr !== undefined) {
      this.#stderrOffset += output.stderr.length;
      await this.#sink("stderr", output.stderr);
    }
  }
}

function isRefusal(error: unknown): error is grpc.ServiceError {
  return error instanceof Error && "code" in error && REFUSALS.some((code) => code === error.code);
}
