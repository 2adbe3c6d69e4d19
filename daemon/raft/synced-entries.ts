import { EMPTY_BYTES } from "./core/core.ts";
import type { ConfState, Entry, EntryId, HardState, Snapshot, Storage } from "./core/core.ts";
import type { AppliedPoint, RecoveredLog } from "./raft-log.ts";

/** What raft counts for an entry beside its data, so that empty ones fill a message too. */
const ENTRY_OVERHEAD_BYTES = 16;
/** A longer range comes in several reads. */
const ENTRIES_PER_READ_MAX = 8192;

/** How much of the log stays behind the applied index, for followers that are a little behind. */
export interface CompactionLimits {
  /** So many entries stay, if they fit. */
  readonly entriesKeptMin: number;
  /** Applied entries take at most this, however few they are. */
  readonly entriesKeptBytesMax: number;
  /**
   * The log is compacted by so many entries at a time, to do it seldom, and by at most `compactedPerBatchMax`, or by as many
   * as the batch appends.
   */
  readonly compactedPerBatchMin: number;
  readonly compactedPerBatchMax: number;
  /** A log of more than either is compacted although the receiver of a snapshot wants its entries: it gets another one. */
  readonly heldEntriesMax: number;
  readonly heldBytesMax: number;
}

/** What the log holds on disk, in memory for the core: never more than a synced batch has made durable. */
export class SyncedEntries implements Storage {
  #start: EntryId;
  /** From the one after the start on. */
  readonly #entries: Entry[];
  #bytes = 0;
  readonly #initial: HardState;
  readonly #initialConfState: ConfState;
  /** What is stored as applied: a snapshot can be read at this point or a later one. */
  #applied: AppliedPoint;
  /** The index whose application made the newest membership, stored or not. */
  #membershipIndex = 0;

  constructor(recovered: RecoveredLog) {
    this.#start = recovered.start;
    this.#entries = [...recovered.entries];
    for (const entry of recovered.entries) this.#bytes += bytesOf(entry);
    this.#initial = recovered.hardState;
    this.#initialConfState = recovered.applied.confState;
    this.#applied = recovered.applied;
  }

  initialState(): { readonly hardState: HardState; readonly confState: ConfState } {
    return { hardState: this.#initial, confState: this.#initialConfState };
  }

  entries(low: number, high: number, maxBytes: number): readonly Entry[] | "compacted" | "unavailable" {
    if (low < this.firstIndex()) return "compacted";
    if (high > this.lastIndex() + 1) return "unavailable";
    const entries: Entry[] = [];
    let bytes = 0;
    const from = low - this.firstIndex();
    const to = Math.min(high - this.firstIndex(), from + ENTRIES_PER_READ_MAX);
    for (const entry of this.#entries.slice(from, to)) {
      bytes += bytesOf(entry);
      if (bytes > maxBytes && entries.length > 0) break;
      entries.push(entry);
    }
    return entries;
  }

  term(index: number): number | "compacted" | "unavailable" {
    if (index < this.#start.index) return "compacted";
    if (index === this.#start.index) return this.#start.term;
    return this.#entries[index - this.firstIndex()]?.term ?? "unavailable";
  }

  firstIndex(): number {
    return this.#start.index + 1;
  }

  lastIndex(): number {
    return this.#start.index + this.#entries.length;
  }

  /**
   * Only the place of a snapshot: its records travel on a stream of their own. Not available while the newest membership
   * is not stored, for its receiver may be a member by that one only.
   */
  snapshot(): Snapshot | "temporarily-unavailable" {
    const { index, term, confState } = this.#applied;
    if (index === 0 || index < this.#membershipIndex) return "temporarily-unavailable";
    return { data: EMPTY_BYTES, metadata: { index, term, confState } };
  }

  /** Entries that are on disk now; they replace all from the first one's index on. */
  synced(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    if (first.index > this.lastIndex() + 1) throw new Error(`entry ${first.index} was synced after a gap`);
    for (const replaced of this.#entries.splice(first.index - this.firstIndex())) {
      this.#bytes -= bytesOf(replaced);
    }
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#bytes += bytesOf(entry);
    }
  }

  /** The entry at `index` was applied and made a new membership. */
  membershipChanged(index: number): void {
    this.#membershipIndex = index;
  }

  /** The state after this entry is on disk now. */
  appliedStored(point: AppliedPoint): void {
    this.#applied = point;
  }

  /** A snapshot has taken the place of the whole log. */
  installed(point: AppliedPoint): void {
    this.#entries.length = 0;
    this.#bytes = 0;
    this.#start = { index: point.index, term: point.term };
    this.#applied = point;
    this.#membershipIndex = 0;
  }

  /**
   * Up to where the log is to be compacted now, if anywhere: only what is stored as applied, and not the newest of it.
   * `heldFrom`: the entries behind it are wanted, as long as the log is not too large and begins there.
   * `appended`: how many entries the same batch appends, which the compaction keeps pace with.
   */
  compactionPoint(limits: CompactionLimits, heldFrom: number | null, appended: number): EntryId | null {
    const { entriesKeptMin, entriesKeptBytesMax, compactedPerBatchMin, compactedPerBatchMax } = limits;
    const stored = this.#applied.index - this.#start.index;
    const most = Math.min(stored, Math.max(compactedPerBatchMax, appended), this.#unheld(limits, heldFrom));
    let count = stored - entriesKeptMin;
    count = count < compactedPerBatchMin ? 0 : Math.min(count, most);
    let bytes = this.#bytes;
    for (let nth = 0; nth < count; nth++) bytes -= bytesOf(this.#entries[nth]);
    while (bytes > entriesKeptBytesMax && count < most) bytes -= bytesOf(this.#entries[count++]);
    const index = this.#start.index + count;
    const term = this.term(index);
    return index === this.#start.index || typeof term !== "number" ? null : { index, term };
  }

  /** How many entries from the first one on nobody holds. */
  #unheld({ heldEntriesMax, heldBytesMax }: CompactionLimits, heldFrom: number | null): number {
    if (heldFrom === null || heldFrom < this.#start.index) return Infinity;
    if (this.#entries.length > heldEntriesMax || this.#bytes > heldBytesMax) return Infinity;
    return heldFrom - this.#start.index;
  }

  /** The entries up to this one are gone from the disk. */
  compacted(start: EntryId): void {
    for (const gone of this.#entries.splice(0, start.index - this.#start.index)) this.#bytes -= bytesOf(gone);
    this.#start = start;
  }
}

function bytesOf(entry: Entry | undefined): number {
  return entry === undefined ? 0 : entry.data.length + ENTRY_OVERHEAD_BYTES;
}
