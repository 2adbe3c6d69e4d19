import * as grpc from "@grpc/grpc-js";
import type { SnapshotPart } from "../../proto/gen/gpumesh/v1/SnapshotPart.ts";
import type { SnapshotReceipt__Output } from "../../proto/gen/gpumesh/v1/SnapshotReceipt.ts";
import { loadMesh } from "../../proto/load.ts";
import { unusedCredentials } from "../mesh/channels.ts";
import { helloToWire } from "./hello-wire.ts";
import type { OpenChannel } from "./peer-link.ts";
import type { StateRecord } from "./raft-log.ts";
import { refusalOf } from "./refused-stream.ts";
import type { Introduction, RaftPeer, SnapshotTransfer } from "./transport.ts";
import { toWire } from "./wire.ts";

const Raft = loadMesh().Raft;

export interface SnapshotStreamOptions {
  readonly peer: RaftPeer;
  readonly introduction: Introduction;
  readonly openChannel: OpenChannel;
  /** The longest wait for one receipt, or for the end. */
  readonly receiptMsMax: number;
  /** Gives the stream up. */
  readonly signal: AbortSignal;
}

type Stream = grpc.ClientDuplexStream<SnapshotPart, SnapshotReceipt__Output>;

/**
 * Sends one snapshot over a channel of its own, so that messages never wait behind it; one chunk is under way at a time.
 * Resolves when the peer has taken the whole. Rejects with what ended the stream.
 */
export async function streamSnapshot(
  { message, totals, chunks }: SnapshotTransfer,
  { peer, introduction, openChannel, receiptMsMax, signal }: SnapshotStreamOptions,
): Promise<void> {
  const channel = openChannel(peer);
  const client = new Raft(peer.address, unusedCredentials, { channelOverride: channel });
  const stream = client.snapshot();
  const answers = new Answers(stream, receiptMsMax);
  const cancel = (): void => stream.cancel();
  signal.addEventListener("abort", cancel);
  if (signal.aborted) cancel();
  try {
    const hello = helloToWire(introduction.gate.hello());
    const { count: recordCount, sum: recordSum } = totals;
    stream.write({ header: { message: toWire(message), recordCount, recordSum, hello } });
    for await (const chunk of chunks) {
      stream.write({ chunk: { records: chunk.map(recordToWire) } });
      if ((await answers.next()) === "end") throw new Error("the peer ended the stream");
    }
    stream.end();
    while ((await answers.next()) !== "end");
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal !== null) introduction.refused(message.to, refusal, refusal.byLeader);
    throw error;
  } finally {
    signal.removeEventListener("abort", cancel);
    stream.cancel();
    channel.close();
  }
}

/** What comes back on the stream, one by one. */
class Answers {
  readonly #waitMsMax: number;
  #receipts = 0;
  #outcome: "end" | Error | null = null;
  #wake: () => void = () => {};

  constructor(stream: Stream, waitMsMax: number) {
    this.#waitMsMax = waitMsMax;
    stream.on("data", () => {
      this.#receipts++;
      this.#wake();
    });
    stream.on("error", (error) => this.#settle(error));
    // Comes after the last receipt, with an outcome that is no error.
    stream.on("status", ({ code }) => code === grpc.status.OK && this.#settle("end"));
  }

  async next(): Promise<"receipt" | "end"> {
    const timer = setTimeout(
      () => this.#settle(new Error(`the peer did not answer for ${this.#waitMsMax} ms`)),
      this.#waitMsMax,
    );
    while (this.#receipts === 0 && this.#outcome === null) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    clearTimeout(timer);
    if (this.#receipts > 0) {
      this.#receipts--;
      return "receipt";
    }
    if (this.#outcome instanceof Error) throw this.#outcome;
    return "end";
  }

  #settle(outcome: "end" | Error): void {
    this.#outcome ??= outcome;
    this.#wake();
  }
}

function recordToWire({ key, value }: StateRecord): { key: string; value: Buffer } {
  return { key, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength) };
}
