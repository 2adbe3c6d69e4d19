import type { ResolvedConfig } from "./config.ts";
import { entriesBytes } from "./entry.ts";
import type { Entry, EntryId, Snapshot } from "./entry.ts";
import { invariant } from "./errors.ts";
import { UnstableLog } from "./log-unstable.ts";

/**
 * The whole log: what storage holds, followed by the unstable end.
 * Invariant: `applied <= applying <= committed <= lastIndex`.
 */
export class RaftLog {
  readonly unstable: UnstableLog;
  readonly #storage: ResolvedConfig["storage"];
  readonly #logger: ResolvedConfig["logger"];
  readonly #maxApplyingBytes: number;
  /** The highest index known to be durable on a quorum. */
  committed: number;
  /** The highest index that has been handed out to be applied. */
  applying: number;
  /** The highest index that is known to have been applied. */
  applied: number;
  #applyingBytes = 0;
  /** Set while the entries handed out fill the limit; lifted when some of them are applied. */
  #applyingPaused = false;

  constructor(config: ResolvedConfig) {
    this.#storage = config.storage;
    this.#logger = config.logger;
    this.#maxApplyingBytes = config.maxCommittedSizePerReady;
    this.unstable = new UnstableLog(config.storage.lastIndex() + 1, config.logger);
    this.committed = this.applying = this.applied = config.storage.firstIndex() - 1;
  }

  firstIndex(): number {
    return this.unstable.firstIndex() ?? this.#storage.firstIndex();
  }

  lastIndex(): number {
    return this.unstable.lastIndex() ?? this.#storage.lastIndex();
  }

  lastEntryId(): EntryId {
    const index = this.lastIndex();
    const term = this.term(index);
    invariant(
      typeof term === "number",
      () => `unexpected error when getting the last term at ${index}: ${term}`,
    );
    return { term, index };
  }

  /** The term at `index`; known from one before the first index on. */
  term(index: number): number | "compacted" | "unavailable" {
    const unstable = this.unstable.term(index);
    if (unstable !== undefined) return unstable;
    if (index + 1 < this.firstIndex()) return "compacted";
    if (index > this.lastIndex()) return "unavailable";
    return this.#storage.term(index);
  }

  /** The term at `index`, or 0 outside the log. */
  termOrZero(index: number): number {
    const term = this.term(index);
    return typeof term === "number" ? term : 0;
  }

  matchTerm(id: EntryId): boolean {
    return this.term(id.index) === id.term;
  }

  /** Whether a log that ends with `last` may lead this one (thesis, section 3.6.1). */
  isUpToDate(last: EntryId): boolean {
    const own = this.lastEntryId();
    return last.term > own.term || (last.term === own.term && last.index >= own.index);
  }

  /** Entries from `index` to the end, at most `maxBytes` of them. */
  entries(index: number, maxBytes: number): readonly Entry[] | "compacted" {
    return index > this.lastIndex() ? [] : this.slice(index, this.lastIndex() + 1, maxBytes);
  }

  /** Entries from `low` (included) to `high` (excluded), at most `maxBytes` of them. */
  slice(low: number, high: number, maxBytes: number): readonly Entry[] | "compacted" {
    invariant(low <= high, () => `invalid slice ${low} > ${high}`);
    if (low < this.firstIndex()) return "compacted";
    invariant(
      high <= this.lastIndex() + 1,
      () => `slice[${low},${high}) out of bound [${this.firstIndex()},${this.lastIndex()}]`,
    );
    if (low === high) return [];
    const offset = this.unstable.offset;
    if (low >= offset) return this.unstable.slice(low, high, maxBytes);
    const cut = Math.min(high, offset);
    const stable = this.#storage.entries(low, cut, maxBytes);
    invariant(stable !== "unavailable", () => `entries[${low}:${cut}) is unavailable from storage`);
    if (stable === "compacted" || high <= offset || stable.length < cut - low) return stable;
    const room = maxBytes - entriesBytes(stable);
    const rest = this.unstable.slice(offset, high, room);
    // The unstable part gives at least one entry even when there is no room for it.
    return entriesBytes(rest) > room ? stable : [...stable, ...rest];
  }

  snapshot(): Snapshot | "temporarily-unavailable" {
    return this.unstable.snapshot ?? this.#storage.snapshot();
  }

  hasNextOrInProgressSnapshot(): boolean {
    return this.unstable.snapshot !== null;
  }

  /**
   * The follower's half of the consistency check (thesis, section 3.5): adds the entries behind `previous` unless the
   * log differs there, and follows the leader's commit index. Returns the last index known to match, or null.
   */
  maybeAppend(previous: EntryId, entries: readonly Entry[], leaderCommit: number): number | null {
    if (!this.matchTerm(previous)) return null;
    const lastNew = previous.index + entries.length;
    const conflict = this.#findConflict(entries);
    if (conflict !== undefined) {
      invariant(
        conflict > this.committed,
        () => `entry ${conflict} conflict with committed entry [committed(${this.committed})]`,
      );
      this.append(entries.slice(conflict - (previous.index + 1)));
    }
    this.commitTo(Math.min(leaderCommit, lastNew));
    return lastNew;
  }

  /** Adds entries at their index, replacing what is there. Returns the new last index. */
  append(entries: readonly Entry[]): number {
    const first = entries[0];
    if (first === undefined) return this.lastIndex();
    invariant(
      first.index > this.committed,
      () => `after(${first.index - 1}) is out of range [committed(${this.committed})]`,
    );
    this.unstable.truncateAndAppend(entries);
    return this.lastIndex();
  }

  /** The index of the first entry that is not in the log as it is; an existing entry of another term is a conflict. */
  #findConflict(entries: readonly Entry[]): number | undefined {
    const differing = entries.find((entry) => !this.matchTerm(entry));
    if (differing === undefined) return undefined;
    const { index, term } = differing;
    if (index <= this.lastIndex()) {
      this.#logger.info(
        `found conflict at index ${index} [existing term: ${this.termOrZero(index)}, conflicting term: ${term}]`,
      );
    }
    return index;
  }

  /**
   * The highest position at or before `index` that a log with term `term` at `index` can share with this one: whole
   * terms are skipped, so that two logs find their common part in few messages. Term 0 when it is before the log.
   */
  findConflictByTerm(index: number, term: number): EntryId {
    for (let at = index; at > 0; at -= 1) {
      const own = this.term(at);
      if (typeof own !== "number") return { index: at, term: 0 };
      if (own <= term) return { index: at, term: own };
    }
    return { index: 0, term: 0 };
  }

  /** Commits up to `at` if it is new and of its term: only entries of the leader's term are committed by counting. */
  maybeCommit(at: EntryId): boolean {
    if (at.term === 0 || at.index <= this.committed || !this.matchTerm(at)) return false;
    this.commitTo(at.index);
    return true;
  }

  commitTo(index: number): void {
    if (index <= this.committed) return;
    invariant(
      index <= this.lastIndex(),
      () =>
        `tocommit(${index}) is out of range [lastIndex(${this.lastIndex()})]. ` +
        "Was the raft log corrupted, truncated, or lost?",
    );
    this.committed = index;
  }

  /** Committed entries to apply next; with `allowUnstable` also those whose write has not been acknowledged. */
  nextCommittedEntries(allowUnstable: boolean): readonly Entry[] {
    if (!this.hasNextCommittedEntries(allowUnstable)) return [];
    const high = this.#maxAppliableIndex(allowUnstable) + 1;
    const entries = this.slice(this.applying + 1, high, this.#maxApplyingBytes - this.#applyingBytes);
    invariant(
      entries !== "compacted",
      () => `committed entries from ${this.applying + 1} were compacted unapplied`,
    );
    return entries;
  }

  hasNextCommittedEntries(allowUnstable: boolean): boolean {
    if (this.#applyingPaused || this.hasNextOrInProgressSnapshot()) return false;
    return this.#maxAppliableIndex(allowUnstable) > this.applying;
  }

  #maxAppliableIndex(allowUnstable: boolean): number {
    return allowUnstable ? this.committed : Math.min(this.committed, this.unstable.offset - 1);
  }

  /** Notes that the committed entries up to `index`, of `bytes` in total, have been handed out to be applied. */
  acceptApplying(index: number, bytes: number, allowUnstable: boolean): void {
    invariant(
      index <= this.committed,
      () => `applying(${index}) is out of range [committed(${this.committed})]`,
    );
    this.applying = index;
    this.#applyingBytes += bytes;
    // A page that stops short of what could be applied was cut by the limit, even if it is not quite full.
    this.#applyingPaused =
      this.#applyingBytes >= this.#maxApplyingBytes || index < this.#maxAppliableIndex(allowUnstable);
  }

  appliedTo(index: number, bytes: number): void {
    invariant(
      index >= this.applied && index <= this.committed,
      () => `applied(${index}) is out of range [prevApplied(${this.applied}), committed(${this.committed})]`,
    );
    this.applied = index;
    this.applying = Math.max(this.applying, index);
    this.#applyingBytes = Math.max(0, this.#applyingBytes - bytes);
    this.#applyingPaused = this.#applyingBytes >= this.#maxApplyingBytes;
  }

  restore(snapshot: Snapshot): void {
    const { index, term } = snapshot.metadata;
    this.#logger.info(`log [${this.describe()}] starts to restore snapshot [index: ${index}, term: ${term}]`);
    this.committed = index;
    this.unstable.restore(snapshot);
  }

  /**
   * Whether `holds` is true of any entry from `low` (included) to `high` (excluded). Reads page by page, as many bytes
   * at a time as may be handed out to be applied.
   */
  some(low: number, high: number, holds: (entry: Entry) => boolean): boolean {
    for (let at = low; at < high;) {
      const page = this.slice(at, high, this.#maxApplyingBytes);
      invariant(page !== "compacted", () => `entries from ${at} were compacted unread`);
      if (page.some(holds)) return true;
      at += page.length;
    }
    return false;
  }

  describe(): string {
    const { offset, offsetInProgress, length } = this.unstable;
    return (
      `committed=${this.committed}, applied=${this.applied}, applying=${this.applying}, ` +
      `unstable.offset=${offset}, unstable.offsetInProgress=${offsetInProgress}, len(unstable.Entries)=${length}`
    );
  }
}
