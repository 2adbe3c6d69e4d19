import type * as grpc from "@grpc/grpc-js";

/**
 * The streams of messages that are open, by the remote address of their connection.
 *
 * A peer that ends a stream, by its own will or a time-out of its own, ends it before its connection. One whose process is
 * killed, or whose machine breaks down and comes back, leaves that to the kernel: the connection ends under an open stream.
 */
export class OpenStreams {
  readonly #brokenOff: (member: number) => void;
  readonly #open = new Map<string, { readonly member: number; cut: boolean }>();

  constructor(brokenOff: (member: number) => void) {
    this.#brokenOff = brokenOff;
  }

  opened(call: Pick<grpc.ServerDuplexStream<unknown, unknown>, "getPeer" | "on">, member: number): void {
    const remoteAddress = call.getPeer();
    const stream = { member, cut: false };
    this.#open.set(remoteAddress, stream);
    // A closed stream hands in no message any more.
    call.on("close", () => {
      if (this.#open.get(remoteAddress) === stream) this.#open.delete(remoteAddress);
      if (stream.cut) this.#brokenOff(member);
    });
  }

  cut(remoteAddress: string): void {
    const stream = this.#open.get(remoteAddress);
    if (stream !== undefined) stream.cut = true;
  }
}
