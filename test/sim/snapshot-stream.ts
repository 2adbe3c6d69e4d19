import type { StateRecord } from "../../daemon/raft/raft-log.ts";
import type { SnapshotTransfer } from "../../daemon/raft/transport.ts";
import type { Clock } from "./clock.ts";
import type { Process } from "./process.ts";

type Records = readonly StateRecord[];

interface End {
  readonly process: Process;
  /** Carries something to the other end, or loses it. */
  readonly carry: (arrived: () => void) => void;
}

/** How often an end looks whether the other one is still there. */
const KEEPALIVE_MS = 400;
/** What takes longer on the way is lost. */
const LOST_MS = 800;

/**
 * A snapshot between two processes: the receiver asks for each chunk when it has stored the last one. A loss on the way,
 * or the death of a process, breaks the stream at both ends some time later.
 */
export class SnapshotStream {
  readonly #clock: Clock;
  readonly #sender: End;
  readonly #receiver: End;
  readonly #source: AsyncIterator<Records>;
  #state: "open" | "broken" | "done" = "open";
  /** When the last thing went on its way that has not arrived; null for none. */
  #sentAt: number | null = null;
  #breakSender: () => void = () => {};
  #breakReceiver: () => void = () => {};

  constructor(clock: Clock, sender: End, receiver: End, chunks: SnapshotTransfer["chunks"]) {
    this.#clock = clock;
    this.#sender = sender;
    this.#receiver = receiver;
    this.#source = chunks[Symbol.asyncIterator]();
  }

  /** Resolves at the sender when `receive` has resolved at the receiver. */
  run(receive: (chunks: SnapshotTransfer["chunks"]) => Promise<void>): Promise<void> {
    this.#watch();
    return new Promise((resolve, reject) => {
      this.#breakSender = () => {
        void this.#source.return?.();
        reject(new Error("the stream of the snapshot broke"));
      };
      this.#pass(this.#sender, () => {
        receive(this.#chunks()).then(
          () =>
            this.#pass(this.#receiver, () => {
              this.#state = "done";
              resolve();
            }),
          () => this.#break(),
        );
      });
    });
  }

  #chunks(): AsyncIterable<Records> {
    const next = (): Promise<IteratorResult<Records>> =>
      new Promise((resolve, reject) => {
        const broken = (): void => reject(new Error("the stream of the snapshot broke"));
        if (this.#state !== "open") return broken();
        this.#breakReceiver = broken;
        this.#pass(this.#receiver, () => {
          this.#source.next().then(
            (chunk) => this.#pass(this.#sender, () => resolve(chunk)),
            () => this.#break(),
          );
        });
      });
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  #pass(from: End, arrived: () => void): void {
    if (this.#state !== "open") return;
    const sentAt = (this.#sentAt = this.#clock.now);
    from.carry(() => {
      if (this.#state !== "open") return;
      if (this.#sentAt === sentAt) this.#sentAt = null;
      arrived();
    });
  }

  #watch(): void {
    this.#clock.after(KEEPALIVE_MS, () => {
      if (this.#state !== "open") return;
      const gone = !this.#sender.process.alive || !this.#receiver.process.alive;
      const lost = this.#sentAt !== null && this.#clock.now - this.#sentAt > LOST_MS;
      if (gone || lost) this.#break();
      else this.#watch();
    });
  }

  #break(): void {
    if (this.#state !== "open") return;
    this.#state = "broken";
    this.#sender.process.post("io", 0, () => this.#breakSender());
    this.#receiver.process.post("io", 0, () => this.#breakReceiver());
  }
}
