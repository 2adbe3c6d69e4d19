import { EMPTY_CONF_STATE, EMPTY_SNAPSHOT } from "./core/core.ts";
import type { ConfState, Entry, HardState, Snapshot, Storage } from "./core/core.ts";

/** What raft counts for an entry beside its data, so that empty ones fill a message too. */
const ENTRY_OVERHEAD_BYTES = 16;
/** A longer range comes in several reads. */
const ENTRIES_PER_READ_MAX = 8192;

/**
 * What the log holds on disk, in memory for the core. It begins at index 1, since nothing is compacted yet; the
 * membership is not part of the initial state, since it is applied anew from the log's first entry on.
 */
export class SyncedEntries implements Storage {
  readonly #entries: Entry[];
  readonly #initial: HardState;

  constructor(entries: readonly Entry[], hardState: HardState) {
    this.#entries = [...entries];
    this.#initial = hardState;
  }

  initialState(): { readonly hardState: HardState; readonly confState: ConfState } {
    return { hardState: this.#initial, confState: EMPTY_CONF_STATE };
  }

  entries(low: number, high: number, maxBytes: number): readonly Entry[] | "compacted" | "unavailable" {
    if (low < 1) return "compacted";
    if (high > this.#entries.length + 1) return "unavailable";
    const entries: Entry[] = [];
    let bytes = 0;
    for (const entry of this.#entries.slice(low - 1, Math.min(high - 1, low - 1 + ENTRIES_PER_READ_MAX))) {
      bytes += entry.data.length + ENTRY_OVERHEAD_BYTES;
      if (bytes > maxBytes && entries.length > 0) break;
      entries.push(entry);
    }
    return entries;
  }

  term(index: number): number | "compacted" | "unavailable" {
    return index === 0 ? 0 : (this.#entries[index - 1]?.term ?? "unavailable");
  }

  firstIndex(): number {
    return 1;
  }

  lastIndex(): number {
    return this.#entries.length;
  }

  snapshot(): Snapshot {
    return EMPTY_SNAPSHOT;
  }

  /** Entries that are on disk now; they replace all from the first one's index on. */
  synced(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    if (first.index > this.#entries.length + 1)
      throw new Error(`entry ${first.index} was synced after a gap`);
    this.#entries.length = first.index - 1;
    for (const entry of entries) this.#entries.push(entry);
  }
}
