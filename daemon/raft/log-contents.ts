import { EMPTY_CONF_STATE } from "./core/core.ts";
import type { Entry } from "./core/core.ts";
import type { KeyRange, LogDatabase } from "./log-device.ts";
import {
  decodeEntry,
  decodeHead,
  decodeRecord,
  EMPTY_LOG_SUM,
  ENTRY_KEYS,
  entryKey,
  HEAD_KEY,
  NO_RECORDS,
  RECORD_KEYS,
  recordStoreKey,
  withRecord,
} from "./log-record.ts";
import type { LogHead } from "./log-record.ts";
import { damage } from "./raft-log.ts";
import type { SyncedMark } from "./synced-mark.ts";

/** All that a log database holds, but for the records' data. */
export interface LogContents {
  readonly head: LogHead;
  readonly entries: readonly Entry[];
  /** Checksums of the entries, that of the first one first. */
  readonly sums: number[];
  /** The batches that wrote the entries, that of the first one first. */
  readonly batches: readonly number[];
  readonly recordSums: Map<string, number>;
}

/** How many leftovers one synced batch deletes. */
const LEFTOVERS_PER_BATCH = 512;

const NOTHING: LogHead = {
  batch: 0,
  start: { index: 0, term: 0, sum: EMPTY_LOG_SUM },
  lastIndex: 0,
  lastSum: EMPTY_LOG_SUM,
  hardState: { term: 0, vote: 0, commit: 0 },
  applied: { index: 0, term: 0, confState: EMPTY_CONF_STATE },
  generation: 1,
  records: NO_RECORDS,
};

/**
 * Reads and checks everything, page by page, and clears what an unfinished installation left. Rejects with a LogError
 * `damaged` that says what is wrong.
 */
export async function readContents(
  database: LogDatabase,
  folder: string,
  onRecord: (key: string, data: Uint8Array) => void,
): Promise<LogContents> {
  const stored = await database.get(HEAD_KEY);
  const decoded = stored === undefined ? { ok: true as const, value: NOTHING } : decodeHead(stored);
  if (!decoded.ok) throw damage(folder, `the head ${decoded.fault}`);
  const head = decoded.value;
  const { entries, sums, batches } = await readEntries(database, folder, head);
  const { applied, start, hardState } = head;
  if (hardState.commit > head.lastIndex) {
    throw damage(folder, `entry ${hardState.commit} was committed but the log ends at ${head.lastIndex}`);
  }
  if (applied.index < start.index || applied.index > head.lastIndex) {
    throw damage(
      folder,
      `entry ${applied.index} was applied last but the log goes from ${start.index + 1} to ${head.lastIndex}`,
    );
  }
  await clearKeys(database, entriesUpTo(start.index));
  await clearOtherGenerations(database, head.generation);
  const recordSums = await readRecords(database, folder, head, onRecord);
  return { head, entries, sums, batches, recordSums };
}

async function readEntries(
  database: LogDatabase,
  folder: string,
  head: LogHead,
): Promise<Pick<LogContents, "entries" | "sums" | "batches">> {
  const { start } = head;
  const entries: Entry[] = [];
  const sums: number[] = [];
  const batches: number[] = [];
  for await (const [key, value] of database.iterator(range(entryKey(start.index + 1), ENTRY_KEYS[1]))) {
    const index = start.index + entries.length + 1;
    if (!key.equals(entryKey(index))) throw damage(folder, `entry ${index} is missing`);
    const read = decodeEntry(key, value, sums.at(-1) ?? start.sum);
    if (!read.ok) throw damage(folder, `entry ${index} ${read.fault}`);
    if (read.value.batch < (batches.at(-1) ?? 0) || read.value.batch > head.batch) {
      throw damage(folder, `entry ${index} is of batch ${read.value.batch}, out of order`);
    }
    batches.push(read.value.batch);
    entries.push(read.value.entry);
    sums.push(read.value.sum);
  }
  const last = start.index + entries.length;
  if (last !== head.lastIndex) {
    throw damage(folder, `the log should end at entry ${head.lastIndex} but ends at ${last}`);
  }
  if ((sums.at(-1) ?? start.sum) !== head.lastSum) {
    throw damage(folder, `entry ${head.lastIndex} is not the one written last`);
  }
  return { entries, sums, batches };
}

/**
 * Refuses a database that holds less than what the mark says was synced. Each entry that stood when the mark was made must
 * still stand, be forgotten, or have been replaced by a later batch. @throws LogError `damaged`
 */
export function checkAgainstMark(
  folder: string,
  mark: SyncedMark | null | "damaged",
  contents: LogContents,
): void {
  const { head, sums, batches } = contents;
  if (mark === null) return;
  if (mark === "damaged") throw damage(folder, "its last-synced file can not be read");
  if (head.batch < mark.batch) {
    throw damage(folder, `batch ${mark.batch} was synced but the newest one found is batch ${head.batch}`);
  }
  const at = Math.min(mark.lastIndex, head.lastIndex);
  const nth = at - head.start.index - 1;
  const batch = batches[nth];
  const stands = at === mark.lastIndex && sums[nth] === mark.lastSum;
  if (batch !== undefined && batch <= mark.batch && !stands) {
    throw damage(folder, `entry ${mark.lastIndex} is not the one that batch ${mark.batch} left last`);
  }
}

async function readRecords(
  database: LogDatabase,
  folder: string,
  { generation, records }: LogHead,
  onRecord: (key: string, data: Uint8Array) => void,
): Promise<Map<string, number>> {
  const sums = new Map<string, number>();
  let totals = NO_RECORDS;
  for await (const [storeKey, value] of database.iterator(recordRange(generation))) {
    const read = decodeRecord(storeKey, value);
    if (!read.ok) throw damage(folder, `record ${read.fault}`);
    const { key, data, sum } = read.value;
    totals = withRecord(totals, sum);
    sums.set(key, sum);
    onRecord(key, data);
  }
  if (totals.count !== records.count || totals.sum !== records.sum) {
    throw damage(folder, `${totals.count} records were found that are not the ${records.count} stored last`);
  }
  return sums;
}

/** The range of keys that the entries up to this one lie in. */
export function entriesUpTo(index: number): KeyRange {
  return range(ENTRY_KEYS[0], entryKey(index + 1));
}

/** The range of keys that the records of this generation lie in. */
export function recordRange(generation: number): KeyRange {
  return range(recordStoreKey(generation, ""), recordStoreKey(generation + 1, ""));
}

async function clearOtherGenerations(database: LogDatabase, generation: number): Promise<void> {
  await clearKeys(database, range(RECORD_KEYS[0], recordStoreKey(generation, "")));
  await clearKeys(database, range(recordStoreKey(generation + 1, ""), RECORD_KEYS[1]));
}

/** Deletes a range of keys in synced batches of bounded size, as long as `goOn`. */
export async function clearKeys(
  database: LogDatabase,
  { gte, lt }: KeyRange,
  goOn: () => boolean = () => true,
): Promise<void> {
  while (goOn()) {
    const keys = await database.keys({ gte, lt, limit: LEFTOVERS_PER_BATCH, fillCache: false }).all();
    if (keys.length === 0) return;
    await database.batch(
      keys.map((key) => ({ type: "del" as const, key })),
      { sync: true },
    );
  }
}

function range(gte: Buffer, lt: Buffer): KeyRange {
  return { gte, lt, fillCache: false };
}
