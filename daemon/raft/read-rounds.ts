import { DriverError } from "./driver-error.ts";

/** Of what tells the rounds of this process from those of the process before it. */
export const READ_NONCE_BYTES = 8;
const NUMBER_BYTES = 6;

interface Reader {
  readonly resolve: (index: number) => void;
  readonly reject: (error: DriverError) => void;
  /** Ticks left until it is given up. */
  ticksLeft: number;
}

interface AskedRound {
  readonly readers: Reader[];
  /** Ticks left until the question counts as lost. */
  readonly ticksLeft: number;
}

export interface ReadOptions {
  /** A round that is not confirmed in this time is asked anew: the question or its answer was lost. */
  readonly askAgainTicks: number;
  /** A reader that waits longer is rejected as `dropped`. */
  readonly waitTicksMax: number;
  /** `READ_NONCE_BYTES` at random, made when the process starts. */
  readonly nonce: Uint8Array;
}

/**
 * Readers that wait for a linearizable read index. All that ask in one turn share one round of the core, and no round
 * serves a reader that came after it began. Every round has its own context, never used again, by a later process neither:
 * a repeated context could be confirmed by the answers to an older round (etcd-io/raft#397).
 */
export class ReadRounds {
  readonly #options: ReadOptions;
  readonly #nonce: Buffer;
  #waiting: Reader[] = [];
  readonly #asked = new Map<number, AskedRound>();
  #confirmed: { readonly index: number; readonly readers: Reader[] }[] = [];
  #newest = 0;

  constructor(options: ReadOptions) {
    this.#options = options;
    this.#nonce = Buffer.from(options.nonce);
  }

  /** How many readers wait. */
  get size(): number {
    const rounds = [...this.#asked.values(), ...this.#confirmed];
    return rounds.reduce((count, { readers }) => count + readers.length, this.#waiting.length);
  }

  /** Resolves with the read index once that much is applied here. */
  add(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject, ticksLeft: this.#options.waitTicksMax });
    });
  }

  /** Begins a round for all that wait: the context to ask the core with, or null if nobody waits. */
  begin(): Uint8Array | null {
    if (this.#waiting.length === 0) return null;
    this.#asked.set(++this.#newest, { readers: this.#waiting, ticksLeft: this.#options.askAgainTicks });
    this.#waiting = [];
    const number = Buffer.alloc(NUMBER_BYTES);
    number.writeUIntBE(this.#newest, 0, NUMBER_BYTES);
    return Buffer.concat([this.#nonce, number]);
  }

  /** The core confirmed a round at `index`. */
  confirm(context: Uint8Array, index: number): void {
    const bytes = Buffer.from(context);
    if (!bytes.subarray(0, -NUMBER_BYTES).equals(this.#nonce)) return;
    const round = bytes.readUIntBE(this.#nonce.length, NUMBER_BYTES);
    const asked = this.#asked.get(round);
    if (asked !== undefined) this.#confirmed.push({ index, readers: asked.readers });
    this.#asked.delete(round);
  }

  /** Everything up to `index` is applied. */
  applied(index: number): void {
    if (this.#confirmed.length === 0) return;
    for (const round of this.#confirmed) {
      if (round.index <= index) for (const reader of round.readers) reader.resolve(round.index);
    }
    this.#confirmed = this.#confirmed.filter((round) => round.index > index);
  }

  /** The leader or the term changed: rounds not confirmed yet may never be, so their readers are asked for anew. */
  restart(): void {
    for (const round of this.#asked.keys()) this.#forget(round);
  }

  tick(): void {
    const expire = (readers: Reader[]): Reader[] =>
      readers.filter((reader) => {
        if (--reader.ticksLeft > 0) return true;
        reader.reject(new DriverError("dropped", "no leader confirmed the read in time; try again"));
        return false;
      });
    this.#waiting = expire(this.#waiting);
    for (const [round, asked] of this.#asked) {
      const ticksLeft = asked.ticksLeft - 1;
      this.#asked.set(round, { readers: expire(asked.readers), ticksLeft });
      if (ticksLeft <= 0) this.#forget(round);
    }
    this.#confirmed = this.#confirmed.map(({ index, readers }) => ({ index, readers: expire(readers) }));
  }

  rejectAll(error: DriverError): void {
    this.restart();
    for (const reader of this.#waiting) reader.reject(error);
    for (const round of this.#confirmed) for (const reader of round.readers) reader.reject(error);
    this.#waiting = [];
    this.#confirmed = [];
  }

  /** Lets the readers of a round wait for the next one. */
  #forget(round: number): void {
    for (const reader of this.#asked.get(round)?.readers ?? []) this.#waiting.push(reader);
    this.#asked.delete(round);
  }
}
