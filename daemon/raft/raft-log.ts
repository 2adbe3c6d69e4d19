import type { ConfState, Entry, EntryId, HardState } from "./core/core.ts";
import type { LogIdentity } from "./log-identity.ts";
import type { RecordChange } from "./state-machine.ts";

/** How far the state machine has applied the log, and the membership that this made. */
export interface AppliedPoint extends EntryId {
  readonly confState: ConfState;
}

/** One write to the log, atomic and synced as a whole. */
export interface LogBatch {
  /** Contiguous, beginning at most one past the log's end; they replace everything from the first one's index on. */
  readonly entries: readonly Entry[];
  /** Null leaves it as it is. */
  readonly hardState: HardState | null;
  /** What was applied since the last batch: all of it or, with null, nothing. */
  readonly applied: { readonly point: AppliedPoint; readonly changes: readonly RecordChange[] } | null;
  /** Forgets the entries up to this one, which an earlier batch recorded as applied; null forgets none. */
  readonly compactTo: EntryId | null;
  /** Replaces records and log by a staged snapshot; `entries` then begin behind it. With it goes none of the two above. */
  readonly install: Installation | null;
}

/** A snapshot whose records are all staged. */
export interface Installation {
  readonly point: AppliedPoint;
  readonly staged: StagedRecords;
}

export interface StateRecord {
  readonly key: string;
  readonly value: Uint8Array;
}

/** Vouches for a set of records, in whatever order. */
export interface RecordTotals {
  readonly count: number;
  /** Of the records' sums, modulo 2^32. */
  readonly sum: number;
}

/** Records beside those that count. They do so from the batch on that installs them; until then no restart sees them. */
export interface StagedRecords {
  readonly totals: RecordTotals;
  /** Resolves when these records are synced. One call at a time; each key once. */
  put(records: readonly StateRecord[]): Promise<void>;
  /** Gives them up. */
  discard(): Promise<void>;
}

/** The stored state at one instant, whatever is written meanwhile. */
export interface LogSnapshot {
  readonly point: AppliedPoint;
  readonly totals: RecordTotals;
  /** All records, so many at a time that a chunk exceeds `bytesMax` by at most one record. */
  chunks(bytesMax: number): AsyncIterable<readonly StateRecord[]>;
  close(): Promise<void>;
}

/** What a log held when it was opened, but for the records. */
export interface RecoveredLog {
  /** The entry before the first one; only its place is known. Index 0 in a log that was never compacted. */
  readonly start: EntryId;
  readonly entries: readonly Entry[];
  readonly hardState: HardState;
  /** What the records hold: the state after this entry. Index 0 before the first. */
  readonly applied: AppliedPoint;
}

export interface OpenLogOptions {
  /**
   * Called once, with the first failed write: the process must end then, because nobody knows what of that write is on
   * disk, and an index must never be used twice in one term.
   */
  readonly onFatal: (error: LogError) => void;
  /** Called for each stored record, in no particular order. */
  readonly onRecord?: (key: string, value: Uint8Array) => void;
  /** Names the store and its openings; those of `node:crypto` by default. */
  readonly randomBytes?: (length: number) => Uint8Array;
}

/** What a member needs of its log; the product's is `LevelLog`, a simulator's may fail as disks do. */
export interface RaftLog {
  readonly recovered: RecoveredLog;
  /** Whose log it is, and whom its member has met. */
  readonly identity: LogIdentity;
  /** The number of the newest synced batch. Whatever the member tells others rests on it or on those before. */
  readonly syncedBatch: number;
  /** The index of the last synced entry; the start's where none is stored. */
  readonly lastIndex: number;
  /**
   * Writes one batch; resolves when it is synced. One at a time: the caller waits, and merges what comes meanwhile.
   * Rejects for ever after the first failure.
   */
  append(batch: LogBatch): Promise<void>;
  /** Begins to take the records of a snapshot, beside all appends. */
  stage(): StagedRecords;
  /** Of what is stored by now, or a little later. */
  openSnapshot(): Promise<LogSnapshot>;
  /** Waits for the write in flight, then gives the folder free. */
  close(): Promise<void>;
}

/**
 * `damaged`: what was once synced is gone or changed. `locked`: another process uses the folder. `storage`: the disk or
 * the database failed. `refused`: the mesh knows that the log is a copy, or was put back to an older state.
 */
export type LogErrorCode = "damaged" | "locked" | "storage" | "refused";

export class LogError extends Error {
  readonly code: LogErrorCode;

  constructor(code: LogErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "LogError";
    this.code = code;
  }
}

export function damage(folder: string, what: string): LogError {
  return new LogError(
    "damaged",
    `the raft log in ${folder} is damaged: ${what}. This daemon has forgotten things it promised to remember, so it ` +
      "must not vote again: remove it from the mesh, delete the folder, and let it join as a new member. The other " +
      "daemons hold all the data as long as most voters are healthy",
  );
}

export function openingError(folder: string, error: unknown): LogError {
  if (error instanceof LogError) return error;
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "LEVEL_LOCKED") {
    return new LogError(
      "locked",
      `the raft log in ${folder} is in use by another process. End the other daemon, or give this one its own folder`,
      error,
    );
  }
  if (code === "LEVEL_CORRUPTION") return damage(folder, describe(cause));
  return new LogError(
    "storage",
    `the raft log in ${folder} could not be opened: ${describe(cause)}. Check that the folder can be written and that ` +
      "the disk has space, then start the daemon again",
    error,
  );
}

export function writingError(place: string, error: unknown): LogError {
  return new LogError(
    "storage",
    `the raft log in ${place} could not be written, so this daemon must end: ${describe(error)}. ` +
      "Free or repair the disk, then start the daemon again",
    error,
  );
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
