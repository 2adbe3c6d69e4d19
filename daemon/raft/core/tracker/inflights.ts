import { invariant } from "../errors.ts";

interface Inflight {
  readonly lastIndex: number;
  readonly bytes: number;
}

/**
 * The MsgApps sent to one follower and not yet acknowledged: a sliding window, limited in messages and in bytes of
 * commands. It may overshoot the bytes by one message, so that a message larger than the limit can be sent at all.
 */
export class Inflights {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  #window: Inflight[] = [];
  #bytes = 0;

  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  get count(): number {
    return this.#window.length;
  }

  get full(): boolean {
    return this.#window.length >= this.#maxMessages || this.#bytes >= this.#maxBytes;
  }

  /** Adds a message whose last entry is at `lastIndex`, which only grows from call to call. */
  add(lastIndex: number, bytes: number): void {
    invariant(!this.full, () => "cannot add into a Full inflights");
    this.#window.push({ lastIndex, bytes });
    this.#bytes += bytes;
  }

  /** Frees all messages whose last entry is at or before `index`. */
  freeLE(index: number): void {
    let freed = 0;
    for (const { lastIndex, bytes } of this.#window) {
      if (lastIndex > index) break;
      this.#bytes -= bytes;
      freed += 1;
    }
    if (freed > 0) this.#window = this.#window.slice(freed);
  }

  reset(): void {
    this.#window = [];
    this.#bytes = 0;
  }

  /** An empty window with the same limits. */
  cleared(): Inflights {
    return new Inflights(this.#maxMessages, this.#maxBytes);
  }
}
