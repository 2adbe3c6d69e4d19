import { EMPTY_HARD_STATE, EMPTY_SNAPSHOT, sliceEntries } from "./entry.ts";
import type { ConfState, Entry, EntryId, HardState, Snapshot } from "./entry.ts";
import { RaftError, invariant } from "./errors.ts";

/**
 * The stable part of the log as the core reads it: synchronous, and never behind what has been acknowledged to the core
 * by a storage response. The entry at `firstIndex() - 1` is gone, but its term must still be known.
 */
export interface Storage {
  /** What was last stored; read once, when the node is made. */
  initialState(): { readonly hardState: HardState; readonly confState: ConfState };
  /**
   * Entries from `low` (included) to `high` (excluded), in total at most `maxBytes`, but at least one.
   * "compacted" when `low` is before the first index, "unavailable" when an entry is not stored.
   */
  entries(low: number, high: number, maxBytes: number): readonly Entry[] | "compacted" | "unavailable";
  /** The term of the entry at `index`, which is in `[firstIndex() - 1, lastIndex()]`. */
  term(index: number): number | "compacted" | "unavailable";
  /** The last stored index; `firstIndex() - 1` when no entry is stored. */
  lastIndex(): number;
  /** The first index that `entries` can return. */
  firstIndex(): number;
  /** The newest snapshot, or that it must be asked for again later because it is being made. */
  snapshot(): Snapshot | "temporarily-unavailable";
}

/** A `Storage` in memory, for tests, simulations, and a log that is kept in memory beside its durable copy. */
export class MemoryStorage implements Storage {
  #hardState: HardState = EMPTY_HARD_STATE;
  #snapshot: Snapshot = EMPTY_SNAPSHOT;
  /** The entry before the first one; only its term is of use. */
  #before: EntryId = { term: 0, index: 0 };
  #entries: Entry[] = [];

  initialState(): { readonly hardState: HardState; readonly confState: ConfState } {
    return { hardState: this.#hardState, confState: this.#snapshot.metadata.confState };
  }

  entries(low: number, high: number, maxBytes: number): readonly Entry[] | "compacted" | "unavailable" {
    const first = this.firstIndex();
    if (low < first) return "compacted";
    invariant(
      high <= this.lastIndex() + 1,
      () => `entries' high(${high}) is out of bound lastindex(${this.lastIndex()})`,
    );
    if (this.#entries.length === 0) return "unavailable";
    return sliceEntries(this.#entries, low - first, high - first, maxBytes);
  }

  term(index: number): number | "compacted" | "unavailable" {
    if (index === this.#before.index) return this.#before.term;
    if (index < this.#before.index) return "compacted";
    return this.#entries[index - this.firstIndex()]?.term ?? "unavailable";
  }

  firstIndex(): number {
    return this.#before.index + 1;
  }

  lastIndex(): number {
    return this.#before.index + this.#entries.length;
  }

  snapshot(): Snapshot {
    return this.#snapshot;
  }

  setHardState(hardState: HardState): void {
    this.#hardState = hardState;
  }

  /** Adds entries, replacing stored ones from the index of the first on; what has been compacted is skipped. */
  append(entries: readonly Entry[]): void {
    const first = this.firstIndex();
    const fresh = entries.filter(({ index }) => index >= first);
    const from = fresh[0]?.index;
    if (from === undefined) return;
    const kept = from - first;
    invariant(
      kept <= this.#entries.length,
      () => `missing log entry [last: ${this.lastIndex()}, append at: ${from}]`,
    );
    this.#entries.length = kept;
    for (const entry of fresh) this.#entries.push(entry);
  }

  /** Replaces the whole log by a snapshot. @throws RaftError `snapshot-out-of-date` unless it is newer than the last. */
  applySnapshot(snapshot: Snapshot): void {
    const { index, term } = snapshot.metadata;
    if (this.#snapshot.metadata.index >= index) throw new RaftError("snapshot-out-of-date");
    this.#snapshot = snapshot;
    this.#before = { index, term };
    this.#entries = [];
  }

  /**
   * Makes the snapshot of the state at `index`, which is in the log; without `confState` the membership of the last
   * snapshot holds on. @throws RaftError `snapshot-out-of-date` unless it is newer than the last.
   */
  createSnapshot(index: number, confState: ConfState | null, data: Uint8Array): Snapshot {
    if (index <= this.#snapshot.metadata.index) throw new RaftError("snapshot-out-of-date");
    const term = this.term(index);
    invariant(
      typeof term === "number",
      () => `snapshot ${index} is out of bound lastindex(${this.lastIndex()})`,
    );
    const metadata = { index, term, confState: confState ?? this.#snapshot.metadata.confState };
    this.#snapshot = { data, metadata };
    return this.#snapshot;
  }

  /** Forgets all entries up to and including `index`. @throws RaftError `compacted` when that was done before. */
  compact(index: number): void {
    if (index <= this.#before.index) throw new RaftError("compacted");
    const term = this.term(index);
    invariant(
      typeof term === "number",
      () => `compact ${index} is out of bound lastindex(${this.lastIndex()})`,
    );
    this.#entries = this.#entries.slice(index - this.#before.index);
    this.#before = { index, term };
  }
}
