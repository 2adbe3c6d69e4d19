/**
 * The node's right to run ranks: until `leaseMs` after the send of the newest renewal that a leader accepted.
 * All times are of the boot clock, in ms, so that a suspended machine does not gain time.
 */
export class Lease {
  readonly #sent = new Map<number, number>();
  #deadlineMs = 0;
  #leaseMs = 0;
  #sequence = 0;

  /** A new session: renewals are numbered from 1 again; the deadline already won stands. */
  begin(leaseMs: number): void {
    this.#sent.clear();
    this.#sequence = 0;
    this.#leaseMs = leaseMs;
  }

  /** Notes a renewal that leaves at `nowMs` (read before sending) and returns its number. */
  send(nowMs: number): number {
    this.#sequence += 1;
    this.#sent.set(this.#sequence, nowMs);
    const oldest = this.#sequence - RENEWALS_OUTSTANDING_MAX;
    if (oldest > 0) this.#sent.delete(oldest);
    return this.#sequence;
  }

  /** The leader accepted that renewal. True when the deadline moved. */
  accept(sequence: number): boolean {
    const sentAt = this.#sent.get(sequence);
    if (sentAt === undefined) return false;
    for (const number of this.#sent.keys()) if (number <= sequence) this.#sent.delete(number);
    const deadline = sentAt + this.#leaseMs;
    if (deadline <= this.#deadlineMs) return false;
    this.#deadlineMs = deadline;
    return true;
  }

  /** After this instant nothing may run; 0 when no renewal was ever accepted. */
  deadlineMs(): number {
    return this.#deadlineMs;
  }
}

const RENEWALS_OUTSTANDING_MAX = 64;
