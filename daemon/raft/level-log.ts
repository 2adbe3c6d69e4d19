import { Level } from "level";
import type { Entry, HardState } from "./core/core.ts";
import {
  decodeEntry,
  decodeHead,
  EMPTY_LOG_SUM,
  encodeEntry,
  encodeHead,
  ENTRY_KEYS,
  entryKey,
  HEAD_KEY,
} from "./log-record.ts";
import type { AppliedConfState, LogHead } from "./log-record.ts";

type Operation = { readonly type: "put"; key: Buffer; value: Buffer } | { readonly type: "del"; key: Buffer };

/** What a log needs of its database, which `Level` is; a simulator's may lose and fail as disks do. */
export interface LogDatabase {
  readonly location: string;
  open(): Promise<void>;
  get(key: Buffer): Promise<Buffer | undefined>;
  /** Atomic; with `sync` it resolves when all of it is on disk. */
  batch(operations: Operation[], options: { readonly sync: boolean }): Promise<void>;
  /** In the order of the keys. */
  iterator(range: {
    readonly gte: Buffer;
    readonly lt: Buffer;
    readonly fillCache: boolean;
  }): AsyncIterable<[Buffer, Buffer]>;
  close(): Promise<void>;
}

/** One write to the log, atomic and synced as a whole. */
export interface LogBatch {
  /** Contiguous, beginning at most one past the log's end; they replace everything from the first one's index on. */
  readonly entries: readonly Entry[];
  /** Null leaves it as it is. */
  readonly hardState: HardState | null;
  /** Null leaves it as it is. */
  readonly confState: AppliedConfState | null;
}

/** What a log held when it was opened. */
export interface RecoveredLog {
  readonly entries: readonly Entry[];
  readonly hardState: HardState;
  /** The newest membership whose application was recorded; null before the first. */
  readonly confState: AppliedConfState | null;
}

/**
 * `damaged`: what was once synced is gone or changed. `locked`: another process uses the folder. `storage`: the disk or
 * the database failed.
 */
export type LogErrorCode = "damaged" | "locked" | "storage";

export class LogError extends Error {
  readonly code: LogErrorCode;

  constructor(code: LogErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "LogError";
    this.code = code;
  }
}

/** What a member needs of its log; the product's is `LevelLog`, a simulator's may fail as disks do. */
export interface RaftLog {
  readonly recovered: RecoveredLog;
  /** The index of the last synced entry, 0 in an empty log. */
  readonly lastIndex: number;
  /**
   * Writes one batch; resolves when it is synced. One at a time: the caller waits, and merges what comes meanwhile.
   * Rejects for ever after the first failure.
   */
  append(batch: LogBatch): Promise<void>;
  /** Waits for the write in flight, then gives the folder free. */
  close(): Promise<void>;
}

/**
 * The durable log of one raft member: entries, HardState and membership in one `level` database of its own.
 *
 * Every append is one batch written with `sync: true`. LevelDB opens without complaint after it has lost synced records
 * (a flipped bit hides all that follows in its file), so the records carry their own checksums, which are checked with
 * the contiguity of the log at every opening. What they cannot show is the loss of the newest batches as a whole.
 */
export class LevelLog implements RaftLog {
  readonly recovered: RecoveredLog;
  readonly #database: LogDatabase;
  readonly #onFatal: (error: LogError) => void;
  /** Checksums of the entries, that of index 1 first. */
  readonly #sums: number[];
  #head: LogHead;
  #writing = false;
  #failure: LogError | null = null;

  private constructor(database: LogDatabase, contents: LogContents, onFatal: (error: LogError) => void) {
    const { head, entries, sums } = contents;
    this.#database = database;
    this.#head = head;
    this.#sums = sums;
    this.#onFatal = onFatal;
    this.recovered = { entries, hardState: head.hardState, confState: head.confState };
  }

  /**
   * Opens the log in `folder`, which is made when missing, and reads and checks all of it. Rejects with a LogError.
   * `onFatal` is called once, with the first failed write: the process must end then, because nobody knows what of that
   * write is on disk, and an index must never be used twice in one term.
   */
  static async open(
    folder: string,
    options: { readonly onFatal: (error: LogError) => void; readonly database?: LogDatabase },
  ): Promise<LevelLog> {
    const database: LogDatabase =
      options.database ??
      new Level<Buffer, Buffer>(folder, { keyEncoding: "buffer", valueEncoding: "buffer" });
    await database.open().catch((error: unknown) => {
      throw openingError(folder, error);
    });
    try {
      return new LevelLog(database, await readContents(database, folder), options.onFatal);
    } catch (error) {
      await database.close();
      throw error instanceof LogError ? error : openingError(folder, error);
    }
  }

  get lastIndex(): number {
    return this.#head.lastIndex;
  }

  /** Rejects with a LogError, always the same one. */
  async append(batch: LogBatch): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    if (this.#writing) throw new Error("a log batch was appended while another is being written");
    const { operations, head, sums } = this.#plan(batch);
    this.#writing = true;
    try {
      await this.#database.batch(operations, { sync: true });
    } catch (error) {
      this.#failure = new LogError(
        "storage",
        `the raft log in ${this.#database.location} could not be written, so this daemon must end: ` +
          `${describe(error)}. Free or repair the disk, then start the daemon again`,
        error,
      );
      this.#onFatal(this.#failure);
      throw this.#failure;
    } finally {
      this.#writing = false;
    }
    this.#head = head;
    this.#sums.length = head.lastIndex - sums.length;
    for (const sum of sums) this.#sums.push(sum);
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  #plan(batch: LogBatch): { operations: Operation[]; head: LogHead; sums: readonly number[] } {
    const { entries } = batch;
    const before = this.#head;
    const number = before.batch + 1;
    const hardState = batch.hardState ?? before.hardState;
    checkSuccession(before, entries, hardState);
    const operations: Operation[] = [];
    const sums: number[] = [];
    const first = entries[0]?.index ?? before.lastIndex + 1;
    let sum = this.#sums[first - 2] ?? EMPTY_LOG_SUM;
    for (const entry of entries) {
      const record = encodeEntry(entry, number, sum);
      operations.push({ type: "put", key: record.key, value: record.value });
      sums.push((sum = record.sum));
    }
    const lastIndex = first + entries.length - 1;
    for (let index = lastIndex + 1; index <= before.lastIndex; index++) {
      operations.push({ type: "del", key: entryKey(index) });
    }
    const confState = batch.confState ?? before.confState;
    const head: LogHead = { batch: number, lastIndex, lastSum: sum, hardState, confState };
    operations.push({ type: "put", key: HEAD_KEY, value: encodeHead(head) });
    return { operations, head, sums };
  }
}

interface LogContents {
  readonly head: LogHead;
  readonly entries: readonly Entry[];
  readonly sums: number[];
}

const NOTHING: LogHead = {
  batch: 0,
  lastIndex: 0,
  lastSum: EMPTY_LOG_SUM,
  hardState: { term: 0, vote: 0, commit: 0 },
  confState: null,
};

async function readContents(database: LogDatabase, folder: string): Promise<LogContents> {
  const stored = await database.get(HEAD_KEY);
  const decoded = stored === undefined ? { ok: true as const, value: NOTHING } : decodeHead(stored);
  if (!decoded.ok) throw damage(folder, `the head ${decoded.fault}`);
  const head = decoded.value;
  const entries: Entry[] = [];
  const sums: number[] = [];
  let batch = 0;
  for await (const [key, value] of database.iterator({
    gte: ENTRY_KEYS[0],
    lt: ENTRY_KEYS[1],
    fillCache: false,
  })) {
    const index = entries.length + 1;
    if (!key.equals(entryKey(index))) throw damage(folder, `entry ${index} is missing`);
    const read = decodeEntry(key, value, sums.at(-1) ?? EMPTY_LOG_SUM);
    if (!read.ok) throw damage(folder, `entry ${index} ${read.fault}`);
    if (read.value.batch < batch || read.value.batch > head.batch) {
      throw damage(folder, `entry ${index} is of batch ${read.value.batch}, out of order`);
    }
    batch = read.value.batch;
    entries.push(read.value.entry);
    sums.push(read.value.sum);
  }
  if (entries.length !== head.lastIndex) {
    throw damage(folder, `the log should end at entry ${head.lastIndex} but ends at ${entries.length}`);
  }
  if ((sums.at(-1) ?? EMPTY_LOG_SUM) !== head.lastSum) {
    throw damage(folder, `entry ${head.lastIndex} is not the one written last`);
  }
  if (head.hardState.commit > head.lastIndex) {
    throw damage(
      folder,
      `entry ${head.hardState.commit} was committed but the log ends at ${head.lastIndex}`,
    );
  }
  return { head, entries, sums };
}

/** Raft never takes back a commit or a term, and never leaves a gap; a caller that tries has a defect. */
function checkSuccession(before: LogHead, entries: readonly Entry[], hardState: HardState): void {
  const { term, commit } = before.hardState;
  const first = entries[0]?.index;
  if (first !== undefined && (first > before.lastIndex + 1 || first <= commit)) {
    throw new Error(
      `append at ${first}: the log ends at ${before.lastIndex} and is committed up to ${commit}`,
    );
  }
  if (entries.some((entry, nth) => entry.index !== (first ?? 0) + nth)) {
    throw new Error(`the append at ${first} leaves a gap behind itself`);
  }
  if (hardState.term < term || hardState.commit < commit) {
    throw new Error(
      `HardState would go back from term ${term} commit ${commit} to ` +
        `term ${hardState.term} commit ${hardState.commit}`,
    );
  }
}

function damage(folder: string, what: string): LogError {
  return new LogError(
    "damaged",
    `the raft log in ${folder} is damaged: ${what}. This daemon has forgotten things it promised to remember, so it ` +
      "must not vote again: remove it from the mesh, delete the folder, and let it join as a new member. The other " +
      "daemons hold all the data as long as most voters are healthy",
  );
}

function openingError(folder: string, error: unknown): LogError {
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

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
