import { Level } from "level";
import type { EntryId, HardState } from "./core/core.ts";
import { readContents } from "./log-contents.ts";
import type { Database, LogContents, Operation } from "./log-contents.ts";
import {
  encodeEntry,
  encodeHead,
  encodeRecord,
  entryKey,
  HEAD_KEY,
  recordStoreKey,
  withoutRecord,
  withRecord,
} from "./log-record.ts";
import type { LogHead, RecordTotals } from "./log-record.ts";
import { openingError, writingError } from "./raft-log.ts";
import type { LogBatch, LogError, OpenLogOptions, RaftLog, RecoveredLog } from "./raft-log.ts";
import type { RecordChange } from "./state-machine.ts";

/** What one batch writes, and what holds once it is synced. */
interface Plan {
  readonly operations: Operation[];
  readonly head: LogHead;
  /** Sums of the new entries. */
  readonly sums: readonly number[];
  /** Sums of the changed records; null for one that is gone. */
  readonly recordSums: ReadonlyMap<string, number | null>;
}

/**
 * The durable half of one raft member: entries, HardState, and the records of the applied state with its index and
 * membership, in one `level` database of its own.
 *
 * Every append is one batch written with `sync: true`. LevelDB opens without complaint after it has lost synced records
 * (a flipped bit hides all that follows in its file), so everything carries checksums, which are checked with the
 * contiguity of the log and the number of records at every opening. What they cannot show is the loss of the newest
 * batches as a whole.
 */
export class LevelLog implements RaftLog {
  readonly recovered: RecoveredLog;
  readonly #database: Database;
  readonly #onFatal: (error: LogError) => void;
  /** Checksums of the entries, that of the first one first. */
  readonly #sums: number[];
  /** Checksums of the records, by key. */
  readonly #recordSums: Map<string, number>;
  #head: LogHead;
  #writing = false;
  #failure: LogError | null = null;

  private constructor(database: Database, contents: LogContents, onFatal: (error: LogError) => void) {
    const { head, entries, sums, recordSums } = contents;
    this.#database = database;
    this.#head = head;
    this.#sums = sums;
    this.#recordSums = recordSums;
    this.#onFatal = onFatal;
    const { start, hardState, applied } = head;
    this.recovered = { start: { index: start.index, term: start.term }, entries, hardState, applied };
  }

  /** Opens the log in `folder`, which is made when missing, and reads and checks all of it. Rejects with a LogError. */
  static async open(folder: string, options: OpenLogOptions): Promise<LevelLog> {
    const database: Database = new Level<Buffer, Buffer>(folder, {
      keyEncoding: "buffer",
      valueEncoding: "buffer",
    });
    await database.open().catch((error: unknown) => {
      throw openingError(folder, error);
    });
    try {
      const contents = await readContents(database, folder, options.onRecord ?? (() => {}));
      return new LevelLog(database, contents, options.onFatal);
    } catch (error) {
      await database.close();
      throw openingError(folder, error);
    }
  }

  get lastIndex(): number {
    return this.#head.lastIndex;
  }

  /** Rejects with a LogError, always the same one. */
  async append(batch: LogBatch): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    if (this.#writing) throw new Error("a log batch was appended while another is being written");
    const plan = this.#plan(batch);
    this.#writing = true;
    try {
      await this.#database.batch(plan.operations, { sync: true });
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#writing = false;
    }
    this.#adopt(plan);
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  #plan(batch: LogBatch): Plan {
    const before = this.#head;
    const number = before.batch + 1;
    const hardState = batch.hardState ?? before.hardState;
    checkSuccession(before, batch, hardState);
    const operations: Operation[] = [];
    const sums: number[] = [];
    const first = batch.entries[0]?.index ?? before.lastIndex + 1;
    let sum = this.#sumOf(first - 1);
    for (const entry of batch.entries) {
      const record = encodeEntry(entry, number, sum);
      operations.push({ type: "put", key: record.key, value: record.value });
      sums.push((sum = record.sum));
    }
    const lastIndex = first + batch.entries.length - 1;
    for (let index = lastIndex + 1; index <= before.lastIndex; index++) {
      operations.push({ type: "del", key: entryKey(index) });
    }
    const start = this.#compact(batch.compactTo, operations);
    const { changes, recordSums, records } = this.#changeRecords(batch.applied?.changes ?? []);
    for (const change of changes) operations.push(change);
    const applied = batch.applied?.point ?? before.applied;
    const { generation } = before;
    const head: LogHead = {
      ...{ batch: number, start, lastIndex, lastSum: sum, hardState, applied, generation, records },
    };
    operations.push({ type: "put", key: HEAD_KEY, value: encodeHead(head) });
    return { operations, head, sums, recordSums };
  }

  /** The start of the log once it is compacted as the batch asks. */
  #compact(compactTo: EntryId | null, operations: Operation[]): LogHead["start"] {
    const { start } = this.#head;
    if (compactTo === null || compactTo.index <= start.index) return start;
    for (let index = start.index + 1; index <= compactTo.index; index++) {
      operations.push({ type: "del", key: entryKey(index) });
    }
    return { index: compactTo.index, term: compactTo.term, sum: this.#sumOf(compactTo.index) };
  }

  #sumOf(index: number): number {
    const { start } = this.#head;
    const sum = index === start.index ? start.sum : this.#sums[index - start.index - 1];
    if (sum === undefined) throw new Error(`the sum of entry ${index} is not known`);
    return sum;
  }

  #changeRecords(changed: readonly RecordChange[]): {
    readonly changes: readonly Operation[];
    readonly recordSums: ReadonlyMap<string, number | null>;
    readonly records: RecordTotals;
  } {
    const { generation } = this.#head;
    const changes: Operation[] = [];
    const recordSums = new Map<string, number | null>();
    let { records } = this.#head;
    for (const { key, value } of changed) {
      if (recordSums.has(key)) throw new Error(`record ${key} was changed twice in one batch`);
      const before = this.#recordSums.get(key);
      if (before !== undefined) records = withoutRecord(records, before);
      const storeKey = recordStoreKey(generation, key);
      if (value === null) {
        changes.push({ type: "del", key: storeKey });
        recordSums.set(key, null);
      } else {
        const encoded = encodeRecord(key, value);
        changes.push({ type: "put", key: storeKey, value: encoded.value });
        recordSums.set(key, encoded.sum);
        records = withRecord(records, encoded.sum);
      }
    }
    return { changes, recordSums, records };
  }

  #adopt({ head, sums, recordSums }: Plan): void {
    const { start } = this.#head;
    this.#sums.length = head.lastIndex - sums.length - start.index;
    for (const sum of sums) this.#sums.push(sum);
    this.#sums.splice(0, head.start.index - start.index);
    for (const [key, sum] of recordSums) {
      if (sum === null) this.#recordSums.delete(key);
      else this.#recordSums.set(key, sum);
    }
    this.#head = head;
  }

  #fail(error: unknown): LogError {
    this.#failure = writingError(this.#database.location, error);
    this.#onFatal(this.#failure);
    return this.#failure;
  }
}

/** Raft never takes back a commit or a term, and never leaves a gap; a caller that tries has a defect. */
function checkSuccession(before: LogHead, batch: LogBatch, hardState: HardState): void {
  const { entries, applied, compactTo } = batch;
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
  // Only what an earlier batch made durable is applied, and only what one recorded as applied may be forgotten.
  if (
    applied !== null &&
    (applied.point.index < before.applied.index || applied.point.index > before.lastIndex)
  ) {
    throw new Error(`entry ${applied.point.index} was applied, the log ends at ${before.lastIndex}`);
  }
  if (compactTo !== null && compactTo.index > before.applied.index) {
    throw new Error(`entry ${compactTo.index} is forgotten, but applied is ${before.applied.index}`);
  }
}
