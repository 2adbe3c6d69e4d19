import { Level } from "level";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { EntryId, HardState } from "./core/core.ts";
import { checkAgainstMark, clearKeys, entriesUpTo, readContents, recordRange } from "./log-contents.ts";
import type { LogContents } from "./log-contents.ts";
import type { KeyRange, LogDevice, LogDatabase, Operation } from "./log-device.ts";
import {
  EMPTY_LOG_SUM,
  encodeEntry,
  encodeHead,
  encodeRecord,
  entryKey,
  HEAD_KEY,
  recordStoreKey,
  withoutRecord,
  withRecord,
} from "./log-record.ts";
import type { LogHead } from "./log-record.ts";
import { openingError, writingError } from "./raft-log.ts";
import { LogIdentity } from "./log-identity.ts";
import type {
  LogBatch,
  LogError,
  LogSnapshot,
  OpenLogOptions,
  RaftLog,
  RecordTotals,
  RecoveredLog,
  StagedRecords,
} from "./raft-log.ts";
import { openLogSnapshot } from "./log-snapshot.ts";
import { StagedGeneration } from "./staged-generation.ts";
import { SyncedMarkFile } from "./synced-mark.ts";
import type { RecordChange } from "./state-machine.ts";

/** What one batch writes, and what holds once it is synced. */
interface Plan {
  readonly operations: Operation[];
  readonly head: LogHead;
  /** Sums of the new entries. */
  readonly sums: readonly number[];
  /** Sums of the changed records; null for one that is gone. */
  readonly recordSums: ReadonlyMap<string, number | null>;
  readonly installed: StagedGeneration | null;
}

/**
 * The durable half of one raft member: entries, HardState, and the records of the applied state with its index and
 * membership, in one `level` database of its own.
 *
 * Every append is one batch written with `sync: true`. LevelDB opens without complaint after it has lost synced records
 * (a flipped bit hides all that follows in its file), so everything carries checksums, which are checked with the
 * contiguity of the log and the number of records at every opening. What they cannot show is the loss of the newest
 * batches as a whole: for that the file `last-synced` names a batch that must be there. It is synced in parallel with the
 * batch after, so it costs no time and is one batch behind; a closed log's is exact.
 */
export class LevelLog implements RaftLog {
  readonly recovered: RecoveredLog;
  readonly identity: LogIdentity;
  readonly #database: LogDatabase;
  readonly #markFile: SyncedMarkFile;
  readonly #onFatal: (error: LogError) => void;
  /** Checksums of the entries, that of the first one first. */
  readonly #sums: number[];
  /** Checksums of the records, by key. */
  #recordSums: Map<string, number>;
  #head: LogHead;
  /** No generation is used twice, so that a reader of an old one never sees records of a new one. */
  #newestGeneration: number;
  #clearing: Promise<void> = Promise.resolve();
  #marking: Promise<void> = Promise.resolve();
  /** The batch that the newest mark names. */
  #marked: number;
  #closing = false;
  #writing = false;
  #failure: LogError | null = null;

  private constructor(
    database: LogDatabase,
    markFile: SyncedMarkFile,
    contents: LogContents,
    identity: LogIdentity,
    onFatal: (error: LogError) => void,
  ) {
    const { head, entries, sums, recordSums } = contents;
    this.#database = database;
    this.#markFile = markFile;
    this.identity = identity;
    // What was found may not be synced: the process before this one may have ended in the middle of a write.
    this.#marked = head.batch;
    this.#head = head;
    this.#sums = sums;
    this.#recordSums = recordSums;
    this.#onFatal = onFatal;
    this.#newestGeneration = head.generation;
    const { start, hardState, applied } = head;
    this.recovered = { start: { index: start.index, term: start.term }, entries, hardState, applied };
  }

  /**
   * Opens the log in `folder`, which is made when missing, and reads and checks all of it; a simulator gives a `device` in
   * the folder's place. Rejects with a LogError.
   */
  static async open(
    folder: string,
    options: OpenLogOptions & { readonly device?: LogDevice },
  ): Promise<LevelLog> {
    const { device } = options;
    const database: LogDatabase =
      device?.database ??
      new Level<Buffer, Buffer>(folder, { keyEncoding: "buffer", valueEncoding: "buffer" });
    await database.open().catch((error: unknown) => {
      throw openingError(folder, error);
    });
    let markFile: SyncedMarkFile | null = null;
    try {
      const opened = await SyncedMarkFile.open(join(folder, "last-synced"), device?.openMarkBytes);
      ({ markFile } = opened);
      const contents = await readContents(database, folder, options.onRecord ?? (() => {}));
      checkAgainstMark(folder, opened.found, contents);
      let fail = (error: unknown): LogError => openingError(folder, error);
      const identity = await LogIdentity.open(database, {
        folder,
        foundBatch: contents.head.batch,
        randomBytes: options.randomBytes ?? randomBytes,
        fail: (error) => fail(error),
      });
      const log = new LevelLog(database, markFile, contents, identity, options.onFatal);
      fail = (error) => log.#fail(error);
      return log;
    } catch (error) {
      await markFile?.close();
      await database.close();
      throw openingError(folder, error);
    }
  }

  get lastIndex(): number {
    return this.#head.lastIndex;
  }

  get syncedBatch(): number {
    return this.#head.batch;
  }

  /** Rejects with a LogError, always the same one. */
  async append(batch: LogBatch): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    if (this.#writing) throw new Error("a log batch was appended while another is being written");
    const plan = this.#plan(batch);
    this.#writing = true;
    this.#mark();
    try {
      await this.#database.batch(plan.operations, { sync: true });
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#writing = false;
    }
    this.#adopt(plan);
  }

  stage(): StagedRecords {
    return new StagedGeneration(this.#database, ++this.#newestGeneration, (error) => this.#fail(error));
  }

  openSnapshot(): Promise<LogSnapshot> {
    return openLogSnapshot(this.#database);
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    if (!this.#writing) {
      await this.#marking;
      this.#mark();
    }
    this.#closing = true;
    await Promise.all([this.#clearing, this.#marking]);
    await this.#markFile.close();
    await this.#database.close();
  }

  #plan(batch: LogBatch): Plan {
    const operations: Operation[] = [];
    const installed = installedBy(batch);
    // What the batch builds upon: the log as it is, or an empty one behind the snapshot.
    const base =
      installed === null ? this.#head : this.#replaceBySnapshot(batch.install, installed, operations);
    const number = base.batch + 1;
    const hardState = batch.hardState ?? base.hardState;
    checkSuccession(base, batch, hardState);
    const sums: number[] = [];
    const first = batch.entries[0]?.index ?? base.lastIndex + 1;
    let sum = first === base.lastIndex + 1 ? base.lastSum : this.#sumOf(first - 1);
    for (const entry of batch.entries) {
      const record = encodeEntry(entry, number, sum);
      operations.push({ type: "put", key: record.key, value: record.value });
      sums.push((sum = record.sum));
    }
    const lastIndex = first + batch.entries.length - 1;
    deleteEntries(operations, lastIndex, base.lastIndex);
    const start = this.#compact(base, batch.compactTo, operations);
    const { changes, recordSums, records } = this.#changeRecords(base, batch.applied?.changes ?? []);
    for (const change of changes) operations.push(change);
    const applied = batch.applied?.point ?? base.applied;
    const { generation } = base;
    const head = { batch: number, start, lastIndex, lastSum: sum, hardState, applied, generation, records };
    operations.push({ type: "put", key: HEAD_KEY, value: encodeHead(head) });
    operations.push(...this.identity.takeUnwritten());
    return { operations, head, sums, recordSums, installed };
  }

  #replaceBySnapshot(
    install: LogBatch["install"],
    { generation, totals }: StagedGeneration,
    operations: Operation[],
  ): LogHead {
    const before = this.#head;
    const applied = install?.point ?? before.applied;
    if (applied.index <= before.hardState.commit) {
      throw new Error(
        `a snapshot of entry ${applied.index} came after entry ${before.hardState.commit} was committed`,
      );
    }
    const { index, term } = applied;
    // No start reads the entries up to the snapshot's: they are cleared bit by bit, for they may be many.
    deleteEntries(operations, Math.max(index, before.start.index), before.lastIndex);
    return {
      ...before,
      start: { index, term, sum: EMPTY_LOG_SUM },
      lastIndex: index,
      lastSum: EMPTY_LOG_SUM,
      applied,
      generation,
      records: totals,
    };
  }

  /** The start of the log once it is compacted as the batch asks. */
  #compact({ start }: LogHead, compactTo: EntryId | null, operations: Operation[]): LogHead["start"] {
    if (compactTo === null || compactTo.index <= start.index) return start;
    deleteEntries(operations, start.index, compactTo.index);
    return { index: compactTo.index, term: compactTo.term, sum: this.#sumOf(compactTo.index) };
  }

  #sumOf(index: number): number {
    const { start } = this.#head;
    const sum = index === start.index ? start.sum : this.#sums[index - start.index - 1];
    if (sum === undefined) throw new Error(`the sum of entry ${index} is not known`);
    return sum;
  }

  #changeRecords(
    { generation, records: before }: LogHead,
    changed: readonly RecordChange[],
  ): {
    readonly changes: readonly Operation[];
    readonly recordSums: ReadonlyMap<string, number | null>;
    readonly records: RecordTotals;
  } {
    const changes: Operation[] = [];
    const recordSums = new Map<string, number | null>();
    let records = before;
    for (const { key, value } of changed) {
      if (recordSums.has(key)) throw new Error(`record ${key} was changed twice in one batch`);
      const replaced = this.#recordSums.get(key);
      if (replaced !== undefined) records = withoutRecord(records, replaced);
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

  #adopt({ head, sums, recordSums, installed }: Plan): void {
    const { start, generation } = this.#head;
    if (installed === null) {
      this.#sums.length = head.lastIndex - sums.length - start.index;
    } else {
      this.#sums.length = 0;
      this.#recordSums = installed.sums;
      this.#clear(recordRange(generation));
      this.#clear(entriesUpTo(head.start.index));
    }
    for (const sum of sums) this.#sums.push(sum);
    if (installed === null) this.#sums.splice(0, head.start.index - start.index);
    for (const [key, sum] of recordSums) {
      if (sum === null) this.#recordSums.delete(key);
      else this.#recordSums.set(key, sum);
    }
    this.#head = head;
  }

  /** Frees the disk of what counts no more; what is left is cleared at the next start. */
  #clear(range: KeyRange): void {
    this.#clearing = this.#clearing
      .then(() => clearKeys(this.#database, range, () => !this.#closing))
      .catch((error: unknown) => void (this.#closing || this.#fail(error)));
  }

  /** Notes the newest batch that is synced, unless it is noted or a mark is being written. */
  #mark(): void {
    const { batch, lastIndex, lastSum } = this.#head;
    if (batch === this.#marked || this.#markFile.writing || this.#closing || this.#failure !== null) return;
    this.#marked = batch;
    this.#marking = this.#markFile
      .write({ batch, lastIndex, lastSum })
      .catch((error: unknown) => void this.#fail(error, this.#markFile.path));
  }

  #fail(error: unknown, place = this.#database.location): LogError {
    if (this.#failure !== null) return this.#failure;
    this.#failure = writingError(place, error);
    this.#onFatal(this.#failure);
    return this.#failure;
  }
}

function installedBy({ install, applied, compactTo }: LogBatch): StagedGeneration | null {
  if (install === null) return null;
  if (applied !== null || compactTo !== null) throw new Error("a snapshot is installed with other changes");
  if (install.staged instanceof StagedGeneration) return install.staged;
  throw new Error("the records of a snapshot were staged in another log");
}

/** Deletes the entries behind `after`, up to `last`. */
function deleteEntries(operations: Operation[], after: number, last: number): void {
  for (let index = after + 1; index <= last; index++) operations.push({ type: "del", key: entryKey(index) });
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
