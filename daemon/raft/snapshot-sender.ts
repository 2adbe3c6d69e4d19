import { EMPTY_BYTES } from "./core/core.ts";
import type { Message } from "./core/core.ts";
import type { LogLine } from "./driver-options.ts";
import type { Environment } from "./environment.ts";
import type { RaftLog, StateRecord } from "./raft-log.ts";
import type { SnapshotHolds } from "./snapshot-holds.ts";
import type { SnapshotTransfer } from "./transport.ts";

/** The pauses after failed sends to one member double from the first to the last. */
export interface SnapshotRetry {
  readonly waitMsMin: number;
  readonly waitMsMax: number;
}

export interface SnapshotSenderOptions {
  readonly log: Pick<RaftLog, "openSnapshot">;
  readonly chunkBytesMax: number;
  readonly retry: SnapshotRetry;
  readonly environment: Pick<Environment, "after" | "random">;
  readonly transfer: (transfer: SnapshotTransfer) => Promise<void>;
  /** The log behind a snapshot, which its receiver will want. */
  readonly holds: SnapshotHolds;
  /** Called once for each stream, never from within `send`: true when the member has it all. */
  readonly onSent: (member: number, taken: boolean) => void;
  readonly report: LogLine;
}

/**
 * Streams the stored state to members that need what the log has forgotten, one stream to each at a time.
 *
 * Failures are told at once, for the core shall know of its peers what is true. So it asks for the snapshot again at its next
 * heartbeat, and it is here that the next stream waits: half to all of a time that doubles with each failure in a row.
 */
export class SnapshotSender {
  readonly #options: SnapshotSenderOptions;
  readonly #sending = new Map<number, Promise<void>>();
  readonly #waiting = new Map<number, { message: Message; readonly cancel: () => void }>();
  /** How often in a row it failed, by member. */
  readonly #failures = new Map<number, number>();
  #ended = false;

  constructor(options: SnapshotSenderOptions) {
    this.#options = options;
  }

  /** Sends the snapshot that a MsgSnap names, or a newer one. A stream that is under way to the member answers for it. */
  send(message: Message): void {
    const { to } = message;
    if (this.#ended || this.#sending.has(to)) return;
    const waiting = this.#waiting.get(to);
    const failures = this.#failures.get(to) ?? 0;
    if (waiting !== undefined) waiting.message = message;
    else if (failures === 0) this.#begin(message);
    else this.#beginLater(message, this.#waitMs(failures));
  }

  /** Waits for the streams, which break at their next chunk. */
  async stop(): Promise<void> {
    this.#ended = true;
    for (const { cancel } of this.#waiting.values()) cancel();
    this.#waiting.clear();
    await Promise.all(this.#sending.values());
  }

  #waitMs(failures: number): number {
    const { retry, environment } = this.#options;
    const waitMs = Math.min(retry.waitMsMin * 2 ** (failures - 1), retry.waitMsMax);
    return waitMs * (1 - environment.random() / 2);
  }

  #beginLater(message: Message, waitMs: number): void {
    const { to } = message;
    const waiting = {
      message,
      cancel: this.#options.environment.after(waitMs, () => {
        this.#waiting.delete(to);
        this.#begin(waiting.message);
      }),
    };
    this.#waiting.set(to, waiting);
  }

  #begin(message: Message): void {
    const { to } = message;
    const sent = this.#send(message).then(
      () => this.#settle(to, null),
      (error: unknown) => this.#settle(to, error instanceof Error ? error.message : String(error)),
    );
    this.#sending.set(to, sent);
  }

  async #send(message: Message): Promise<void> {
    const snapshot = await this.#options.log.openSnapshot();
    try {
      const { index, term, confState } = snapshot.point;
      if (index < (message.snapshot?.metadata.index ?? 0)) throw new Error("the stored state is older");
      this.#options.holds.begin(message.to, index);
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
    const { holds, report, onSent } = this.#options;
    const taken = fault === null;
    this.#sending.delete(member);
    holds.end(member, taken);
    if (taken) this.#failures.delete(member);
    else this.#failures.set(member, (this.#failures.get(member) ?? 0) + 1);
    if (this.#ended) return;
    if (taken) report("info", `member ${member} has taken a snapshot`);
    else report("warn", `member ${member} did not take a snapshot: ${fault}`);
    onSent(member, taken);
  }
}
