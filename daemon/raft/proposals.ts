import type { DriverError } from "./driver-error.ts";

/** Names a proposal in its entry: 8 random bytes of the driver that made it, then its number there. */
export const PROPOSAL_ID_BYTES = 16;

export interface Applied {
  readonly index: number;
  readonly term: number;
  /** What applying the entry gave back. */
  readonly result: unknown;
}

export interface WaitingProposal {
  readonly number: number;
  /** The whole entry: the proposal's id and then its data. */
  readonly entry: Buffer;
}

interface Pending {
  /** The term in which it was given to the core; null while it waits for that. */
  term: number | null;
  readonly resolve: (applied: Applied) => void;
  readonly reject: (error: DriverError) => void;
}

/** The proposals of this member that are not applied yet, and those that have yet to be given to the core. */
export class Proposals {
  readonly #prefix: Buffer;
  readonly #pending = new Map<number, Pending>();
  #waiting: WaitingProposal[] = [];
  #newest = 0;

  /** `prefix` is 8 random bytes, so that an entry of an earlier run is never taken for one of this run. */
  constructor(prefix: Uint8Array) {
    this.#prefix = Buffer.from(prefix);
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Whether something has yet to be given to the core. */
  get areWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Lets `data` wait for the next batch; the promise is that of its application. */
  add(data: Uint8Array): Promise<Applied> {
    const number = ++this.#newest;
    const entry = Buffer.allocUnsafe(PROPOSAL_ID_BYTES + data.length);
    this.#writeId(entry, number);
    entry.set(data, PROPOSAL_ID_BYTES);
    this.#waiting.push({ number, entry });
    return this.#promise(number, null);
  }

  /** Names something that is given to the core at once, in this term. */
  addNow(term: number): {
    readonly number: number;
    readonly id: Uint8Array;
    readonly applied: Promise<Applied>;
  } {
    const number = ++this.#newest;
    const id = Buffer.allocUnsafe(PROPOSAL_ID_BYTES);
    this.#writeId(id, number);
    return { number, id, applied: this.#promise(number, term) };
  }

  /** Takes the next batch of what waits, as much as fits but at least one; they count as given to the core. */
  take(term: number, bytesMax: number): readonly WaitingProposal[] {
    let bytes = 0;
    const end = this.#waiting.findIndex(
      (waiting, nth) => (bytes += waiting.entry.length) > bytesMax && nth > 0,
    );
    const batch = end === -1 ? this.#waiting : this.#waiting.slice(0, end);
    this.#waiting = end === -1 ? [] : this.#waiting.slice(end);
    for (const { number } of batch) {
      const pending = this.#pending.get(number);
      if (pending !== undefined) pending.term = term;
    }
    return batch;
  }

  /** Takes note of an applied entry or membership change; `id` may be another member's or an earlier run's. */
  settle(id: Uint8Array, applied: Applied): void {
    const number = this.#numberOf(id);
    this.#pending.get(number)?.resolve(applied);
    this.#pending.delete(number);
  }

  /** Takes note of a committed proposal that changes nothing. */
  refuse(id: Uint8Array, error: DriverError): void {
    this.reject(this.#numberOf(id), error);
  }

  reject(number: number, error: DriverError): void {
    this.#pending.get(number)?.reject(error);
    this.#pending.delete(number);
  }

  /** Rejects what was never given to the core. */
  rejectWaiting(error: DriverError): void {
    for (const { number } of this.#waiting) this.reject(number, error);
    this.#waiting = [];
  }

  /** Gives up what was given to the core in an earlier term: it may be replaced in the log, or be applied later. */
  rejectBefore(term: number, error: DriverError): void {
    for (const [number, pending] of this.#pending) {
      if (pending.term !== null && pending.term < term) this.reject(number, error);
    }
  }

  #promise(number: number, term: number | null): Promise<Applied> {
    return new Promise((resolve, reject) => {
      this.#pending.set(number, { term, resolve, reject });
    });
  }

  /** 0, which is no proposal's number, for an id that was not made here. */
  #numberOf(id: Uint8Array): number {
    const bytes = Buffer.from(id.buffer, id.byteOffset, id.byteLength);
    const own = bytes.length === PROPOSAL_ID_BYTES && this.#prefix.compare(bytes, 0, 8) === 0;
    return own ? bytes.readUIntBE(10, 6) : 0;
  }

  #writeId(bytes: Buffer, number: number): void {
    this.#prefix.copy(bytes, 0, 0, 8);
    bytes.writeUIntBE(0, 8, 2);
    bytes.writeUIntBE(number, 10, 6);
  }
}
