import type { Logger } from "./config.ts";
import { sliceEntries } from "./entry.ts";
import type { Entry, EntryId, Snapshot } from "./entry.ts";
import { invariant } from "./errors.ts";

/**
 * The end of the log that storage has not yet acknowledged: entries from `offset` on, and perhaps a snapshot before
 * them. What has been handed out to be written is "in progress"; it stays here until the write is acknowledged.
 */
export class UnstableLog {
  readonly #logger: Logger;
  #snapshot: Snapshot | null = null;
  #snapshotInProgress = false;
  #entries: Entry[] = [];
  #offset: number;
  /** Entries before this index are in progress. Invariant: `offset <= offsetInProgress <= offset + length`. */
  #offsetInProgress: number;

  constructor(offset: number, logger: Logger) {
    this.#offset = offset;
    this.#offsetInProgress = offset;
    this.#logger = logger;
  }

  get offset(): number {
    return this.#offset;
  }

  get offsetInProgress(): number {
    return this.#offsetInProgress;
  }

  get length(): number {
    return this.#entries.length;
  }

  get snapshot(): Snapshot | null {
    return this.#snapshot;
  }

  /** The index after the snapshot, when there is one: nothing before it exists any more. */
  firstIndex(): number | undefined {
    return this.#snapshot === null ? undefined : this.#snapshot.metadata.index + 1;
  }

  lastIndex(): number | undefined {
    return this.#entries.at(-1)?.index ?? this.#snapshot?.metadata.index;
  }

  /** The term at `index`, if this part of the log knows it. */
  term(index: number): number | undefined {
    if (index < this.#offset) {
      return this.#snapshot?.metadata.index === index ? this.#snapshot.metadata.term : undefined;
    }
    return this.#entries[index - this.#offset]?.term;
  }

  get hasNextEntries(): boolean {
    return this.#offsetInProgress < this.#offset + this.#entries.length;
  }

  /** Entries that have not been handed out to be written. */
  nextEntries(): readonly Entry[] {
    return this.#entries.slice(this.#offsetInProgress - this.#offset);
  }

  /** The snapshot, unless it has been handed out to be written. */
  nextSnapshot(): Snapshot | null {
    return this.#snapshotInProgress ? null : this.#snapshot;
  }

  /** Notes that all entries and the snapshot have been handed out. */
  acceptInProgress(): void {
    this.#offsetInProgress = this.#offset + this.#entries.length;
    if (this.#snapshot !== null) this.#snapshotInProgress = true;
  }

  /**
   * Takes the acknowledgement that the log up to `id` is durable. The term matters: an entry may have been replaced
   * since its write began, and then the acknowledgement says nothing of its successor.
   */
  stableTo(id: EntryId): void {
    const term = this.term(id.index);
    if (term === undefined) {
      this.#logger.info(`entry at index ${id.index} missing from unstable log; ignoring`);
      return;
    }
    if (id.index < this.#offset) {
      this.#logger.info(`entry at index ${id.index} matched unstable snapshot; ignoring`);
      return;
    }
    if (term !== id.term) {
      this.#logger.info(
        `entry at (index,term)=(${id.index},${id.term}) mismatched with ` +
          `entry at (${id.index},${term}) in unstable log; ignoring`,
      );
      return;
    }
    this.#entries = this.#entries.slice(id.index + 1 - this.#offset);
    this.#offset = id.index + 1;
    this.#offsetInProgress = Math.max(this.#offsetInProgress, this.#offset);
  }

  stableSnapshotTo(index: number): void {
    if (this.#snapshot?.metadata.index !== index) return;
    this.#snapshot = null;
    this.#snapshotInProgress = false;
  }

  /** Drops everything for a snapshot that came from the leader. */
  restore(snapshot: Snapshot): void {
    this.#offset = snapshot.metadata.index + 1;
    this.#offsetInProgress = this.#offset;
    this.#entries = [];
    this.#snapshot = snapshot;
    this.#snapshotInProgress = false;
  }

  /** Adds entries; those that are here from the index of the first on, or were written before, are replaced. */
  truncateAndAppend(entries: readonly Entry[]): void {
    const [first] = entries;
    if (first === undefined) return;
    const from = first.index;
    if (from === this.#offset + this.#entries.length) {
      for (const entry of entries) this.#entries.push(entry);
    } else if (from <= this.#offset) {
      this.#logger.info(`replace the unstable entries from index ${from}`);
      this.#entries = [...entries];
      this.#offset = from;
      this.#offsetInProgress = from;
    } else {
      this.#logger.info(`truncate the unstable entries before index ${from}`);
      this.#entries = [...this.#entries.slice(0, from - this.#offset), ...entries];
      // Entries from here on must be written again, even if a write of their predecessors is in progress.
      this.#offsetInProgress = Math.min(this.#offsetInProgress, from);
    }
  }

  /** Entries from `low` (included) to `high` (excluded), at most `maxBytes` of them. */
  slice(low: number, high: number, maxBytes: number): readonly Entry[] {
    const end = this.#offset + this.#entries.length;
    invariant(low <= high, () => `invalid unstable.slice ${low} > ${high}`);
    invariant(
      low >= this.#offset && high <= end,
      () => `unstable.slice[${low},${high}) out of bound [${this.#offset},${end}]`,
    );
    return sliceEntries(this.#entries, low - this.#offset, high - this.#offset, maxBytes);
  }
}
