import type { Message } from "./core/core.ts";
import type { RaftLog } from "./raft-log.ts";
import type { ReceivedSnapshot } from "./raft-loop.ts";
import type { StateMachine } from "./state-machine.ts";
import type { SnapshotTransfer } from "./transport.ts";

export interface SnapshotReceiverOptions {
  readonly log: RaftLog;
  readonly machine: StateMachine;
  /** Offers a whole snapshot to the core; false when it needs none. */
  readonly install: (message: Message, snapshot: ReceivedSnapshot) => boolean;
}

/**
 * Takes snapshots chunk by chunk: each is synced, and becomes part of a state beside the present one, before the next is
 * asked for. A newer transfer ends an older one, whose sender may be gone.
 */
export class SnapshotReceiver {
  readonly #options: SnapshotReceiverOptions;
  readonly #running = new Set<Promise<void>>();
  #newest = 0;
  #ended = false;

  constructor(options: SnapshotReceiverOptions) {
    this.#options = options;
  }

  /** Resolves when the snapshot is offered to the core, be it that it is not needed any more. */
  async receive(transfer: SnapshotTransfer): Promise<void> {
    const run = this.#receive(transfer, ++this.#newest);
    const settled = run.catch(() => {});
    this.#running.add(settled);
    try {
      await run;
    } finally {
      this.#running.delete(settled);
    }
  }

  /** Waits for the transfers, which break at their next chunk. */
  async stop(): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#running);
  }

  async #receive({ message, totals, chunks }: SnapshotTransfer, number: number): Promise<void> {
    const { log, machine, install } = this.#options;
    const point = message.snapshot?.metadata;
    if (this.#ended || point === undefined) throw new Error("no snapshot is taken now");
    const staged = log.stage();
    const restoration = machine.restore();
    let taken = false;
    try {
      for await (const chunk of chunks) {
        this.#check(number);
        await staged.put(chunk);
        for (const { key, value } of chunk) restoration.put(key, value);
      }
      this.#check(number);
      const { count, sum } = staged.totals;
      if (count !== totals.count || sum !== totals.sum) {
        throw new Error(`${count} records came that are not the ${totals.count} of the snapshot`);
      }
      taken = install(message, { point, staged, restoration });
    } finally {
      if (!taken) await staged.discard();
    }
  }

  #check(number: number): void {
    if (this.#ended) throw new Error("this member ends");
    if (number !== this.#newest) throw new Error("a newer snapshot is being received");
  }
}
