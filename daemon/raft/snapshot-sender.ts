import { EMPTY_BYTES } from "./core/core.ts";
import type { Message } from "./core/core.ts";
import type { RaftLog, StateRecord } from "./raft-log.ts";
import type { SnapshotTransfer } from "./transport.ts";

export interface SnapshotSenderOptions {
  readonly log: RaftLog;
  readonly chunkBytesMax: number;
  readonly transfer: (transfer: SnapshotTransfer) => Promise<void>;
  /** Called once for each `send`, in a later turn of the event loop: `fault` is null when the member has it all. */
  readonly onSent: (member: number, fault: string | null) => void;
}

/** Streams the stored state to members that need what the log has forgotten, one stream to each at a time. */
export class SnapshotSender {
  readonly #options: SnapshotSenderOptions;
  readonly #sending = new Map<number, Promise<void>>();
  #ended = false;

  constructor(options: SnapshotSenderOptions) {
    this.#options = options;
  }

  /** Sends the snapshot that a MsgSnap names, or a newer one. */
  send(message: Message): void {
    const { to } = message;
    const before = this.#sending.get(to);
    const sent =
      before === undefined ? this.#send(message) : Promise.reject(new Error("another is on its way"));
    const settled = sent.then(
      () => this.#settle(to, null),
      (error: unknown) => this.#settle(to, error instanceof Error ? error.message : String(error)),
    );
    if (before === undefined)
      this.#sending.set(
        to,
        settled.finally(() => this.#sending.delete(to)),
      );
  }

  /** Waits for the streams, which break at their next chunk. */
  async stop(): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#sending.values());
  }

  async #send(message: Message): Promise<void> {
    const snapshot = await this.#options.log.openSnapshot();
    try {
      const { index, term, confState } = snapshot.point;
      if (index < (message.snapshot?.metadata.index ?? 0)) throw new Error("the stored state is older");
      const metadata = { index, term, confState };
      await this.#options.transfer({
        message: { ...message, snapshot: { data: EMPTY_BYTES, metadata } },
        totals: snapshot.totals,
        chunks: this.#whileRunning(snapshot.chunks(this.#options.chunkBytesMax)),
      });
    } finally {
      await snapshot.close();
    }
  }

  async *#whileRunning(
    chunks: AsyncIterable<readonly StateRecord[]>,
  ): AsyncGenerator<readonly StateRecord[]> {
    for await (const chunk of chunks) {
      if (this.#ended) throw new Error("this member ends");
      yield chunk;
    }
  }

  #settle(member: number, fault: string | null): void {
    if (!this.#ended) this.#options.onSent(member, fault);
  }
}
