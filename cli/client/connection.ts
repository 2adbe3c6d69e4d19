import type { CallOptions, ClientReadableStream, ClientUnaryCall, requestCallback } from "@grpc/grpc-js";
import type { ApiClient } from "../../proto/gen/gpumesh/v1/Api.ts";
import { BrokenCall, callErrorOf } from "./broken-call.ts";
import type { ClientContext } from "./context.ts";
import { openLine, type Line } from "./line.ts";
import { abortReason } from "./pause.ts";
import { Retrying } from "./retrying.ts";

/** Starts one unary call. */
export type Send<Reply> = (
  api: ApiClient,
  options: CallOptions,
  done: requestCallback<Reply>,
) => ClientUnaryCall;
/** Opens one stream from the mesh. */
export type Open<Message> = (api: ApiClient, options: CallOptions) => ClientReadableStream<Message>;

export interface UnaryOptions {
  /** Whether a call that got no answer in time may be sent again. */
  readonly repeatable: boolean;
}

/** A connection attempt or TLS handshake that takes longer is given up: grpc-js has no such limit of its own. */
const connectTimeoutMs = 3_000;
/** A handshake takes three round trips, of which each may take a third of a second. */
const connectTimeoutLeastMs = 1_000;
/** The longest that one daemon may take for one unary call before another is asked. */
const tryTimeoutMs = 5_000;
const tryTimeoutLeastMs = 500;

/**
 * Lines to all the daemons of one mesh. Calls go to the current one; a failure moves on to the next, and the call is
 * repeated there until `retryForMs` has passed.
 */
export class Connection {
  readonly meshId: string;
  readonly retryForMs: number;
  readonly #context: ClientContext;
  readonly #lines = new Map<string, Line>();
  readonly #stopped = new AbortController();
  readonly #unlink: () => void;
  #current = 0;

  constructor(context: ClientContext, retryForMs: number, signal?: AbortSignal) {
    this.meshId = context.meshId;
    this.retryForMs = retryForMs;
    this.#context = context;
    const abort = (): void => this.close(signal === undefined ? undefined : abortReason(signal));
    signal?.addEventListener("abort", abort, { once: true });
    this.#unlink = () => signal?.removeEventListener("abort", abort);
    if (signal?.aborted === true) abort();
  }

  get addresses(): readonly string[] {
    return this.#context.addresses;
  }

  /** The address whose daemon is asked next. */
  get address(): string {
    const { addresses } = this.#context;
    return addresses[this.#current % addresses.length] ?? "";
  }

  /** Ends when either the caller or the connection does. */
  signalWith(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#stopped.signal : AbortSignal.any([signal, this.#stopped.signal]);
  }

  /** Makes another daemon the current one, unless that has happened since `address` was. */
  moveOnFrom(address: string): void {
    if (this.address === address) this.#current = (this.#current + 1) % this.addresses.length;
  }

  /** Carries out a call on any daemon. Rejects with `ApiError`, `MeshUnreachable` or the signal's reason. */
  async unary<Reply>(send: Send<Reply>, options: UnaryOptions): Promise<Reply> {
    const signal = this.#stopped.signal;
    const retrying = new Retrying(this, signal);
    for (;;) {
      const { address } = this;
      try {
        return await this.#tryOnce(address, send, retrying.remainingMs);
      } catch (error) {
        if (signal.aborted) throw abortReason(signal);
        if (!(error instanceof BrokenCall)) throw error;
        if (error.timedOut && !options.repeatable) throw error.toApiError();
        await retrying.after(address, error);
      }
    }
  }

  /**
   * Opens one stream on the current daemon and yields its messages, without retrying. Throws `BrokenCall` where it
   * may be opened again, `ApiError` where the mesh said no, and the signal's reason.
   */
  async *stream<Message>(open: Open<Message>, signal: AbortSignal): AsyncGenerator<Message, void> {
    if (signal.aborted) throw abortReason(signal);
    const { address } = this;
    const line = this.#line(address);
    const begun = performance.now();
    const call = open(line.api, {});
    let stuck = false;
    const hangUp = (): void => call.cancel();
    const connecting = setTimeout(() => {
      stuck = !line.ready();
      if (stuck) hangUp();
    }, this.#connectTimeoutMs());
    signal.addEventListener("abort", hangUp, { once: true });
    // The status may arrive after the loop below was left, when nobody else listens for it any more.
    call.on("error", () => undefined);
    try {
      for await (const message of call as AsyncIterable<Message>) yield message;
    } catch (error) {
      if (signal.aborted) throw abortReason(signal);
      throw stuck ? this.#stuck(address, begun) : callErrorOf(error, "stream");
    } finally {
      clearTimeout(connecting);
      signal.removeEventListener("abort", hangUp);
      hangUp();
    }
    if (signal.aborted) throw abortReason(signal);
  }

  /** Ends all calls: they reject with `reason`. Safe to call twice. */
  close(reason = new Error("the connection to the mesh was closed")): void {
    this.#unlink();
    this.#stopped.abort(reason);
    for (const line of this.#lines.values()) line.close();
    this.#lines.clear();
  }

  #tryOnce<Reply>(address: string, send: Send<Reply>, remainingMs: number): Promise<Reply> {
    const signal = this.#stopped.signal;
    if (signal.aborted) throw abortReason(signal);
    const line = this.#line(address);
    const timeoutMs = Math.min(tryTimeoutMs, Math.max(tryTimeoutLeastMs, remainingMs));
    return new Promise((resolve, reject) => {
      const begun = performance.now();
      let stuck = false;
      const call = send(line.api, { deadline: Date.now() + timeoutMs }, (error, reply) => {
        clearTimeout(connecting);
        signal.removeEventListener("abort", hangUp);
        const failure = callErrorOf(error, "unary");
        stuck ||= failure instanceof BrokenCall && failure.timedOut && !line.ready();
        if (stuck) reject(this.#stuck(address, begun));
        else if (error !== null) reject(failure);
        else if (reply === undefined) reject(new BrokenCall("INTERNAL", "the daemon answered nothing"));
        else resolve(reply);
      });
      const hangUp = (): void => call.cancel();
      const connecting = setTimeout(() => {
        stuck = !line.ready();
        if (stuck) hangUp();
      }, this.#connectTimeoutMs());
      signal.addEventListener("abort", hangUp, { once: true });
    });
  }

  /** Short enough that every address has its turn before the time is over, as far as that is possible. */
  #connectTimeoutMs(): number {
    const fairMs = this.retryForMs / this.addresses.length;
    return Math.min(connectTimeoutMs, Math.max(connectTimeoutLeastMs, fairMs));
  }

  /** Ends the line, so that the next call starts a new attempt to connect in place of the one that hangs. */
  #stuck(address: string, begun: number): BrokenCall {
    this.#lines.get(address)?.close();
    this.#lines.delete(address);
    const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
    const error = `no answer to a connection within ${seconds} s`;
    return new BrokenCall("UNAVAILABLE", error, { error, answered: false, permanent: false });
  }

  #line(address: string): Line {
    const known = this.#lines.get(address);
    if (known !== undefined) return known;
    const line = openLine(address, this.#context);
    this.#lines.set(address, line);
    return line;
  }
}
