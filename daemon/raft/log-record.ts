import type { ConfState, Entry, EntryId, EntryType, HardState } from "./core/core.ts";
import { crc32c } from "./crc32c.ts";
import type { AppliedPoint, RecordTotals } from "./raft-log.ts";

/*
 * Layout of the records of a log database, all numbers big-endian.
 *
 *   "e" index:u64           ->  batch:u64 term:u64 type:u8 data sum:u32
 *   "r" generation:u64 key  ->  data sum:u32
 *   "h"                     ->  version:u8 (numbers of the head):u64... sum:u32
 *
 * An entry's sum covers its key and value and continues the sum of the entry before it, so it vouches for the whole log
 * up to here: an entry that came back from before a replacement is seen as surely as a flipped bit. A record's sum covers
 * its key and data. The head is rewritten by every batch; it numbers the batch, names the first and the last entry with
 * their sums, and the records by their generation, their count and the sum of their sums.
 */

export const HEAD_KEY = Buffer.from("h");
/** All entry keys lie from the first (included) to the second (excluded). */
export const ENTRY_KEYS = [Buffer.from("e"), Buffer.from("f")] as const;

/** All record keys, of whatever generation, lie from the first (included) to the second (excluded). */
export const RECORD_KEYS = [Buffer.from("r"), Buffer.from("s")] as const;

const FORMAT_VERSION = 2;
const ENTRY_TYPES: readonly EntryType[] = ["EntryNormal", "EntryConfChange", "EntryConfChangeV2"];
const ENTRY_KEY_BYTES = 9;
const ENTRY_HEADER_BYTES = 17;
const RECORD_PREFIX_BYTES = 9;
const SUM_BYTES = 4;
const U32 = 2 ** 32;

/** The sum before the first entry of a log. */
export const EMPTY_LOG_SUM = 0;

/** The place of an entry, with its sum. */
export interface SummedEntryId extends EntryId {
  readonly sum: number;
}

/** What the newest batch says of the whole database. */
export interface LogHead {
  /** 1, 2, 3, ...: the number of the batch that wrote this head. */
  readonly batch: number;
  /** The entry before the first one. */
  readonly start: SummedEntryId;
  readonly lastIndex: number;
  readonly lastSum: number;
  readonly hardState: HardState;
  readonly applied: AppliedPoint;
  /** The generation of the records that count. */
  readonly generation: number;
  readonly records: RecordTotals;
}

export const NO_RECORDS: RecordTotals = { count: 0, sum: 0 };

/** What a record holds, or what is wrong with it. */
export type Decoded<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: string };

export interface StoredEntry {
  readonly entry: Entry;
  readonly batch: number;
  readonly sum: number;
}

export function entryKey(index: number): Buffer {
  const key = Buffer.allocUnsafe(ENTRY_KEY_BYTES);
  ENTRY_KEYS[0].copy(key);
  writeU64(key, index, 1);
  return key;
}

export function encodeEntry(
  entry: Entry,
  batch: number,
  previousSum: number,
): { key: Buffer; value: Buffer; sum: number } {
  const key = entryKey(entry.index);
  const value = Buffer.allocUnsafe(ENTRY_HEADER_BYTES + entry.data.length + SUM_BYTES);
  writeU64(value, batch, 0);
  writeU64(value, entry.term, 8);
  value[16] = ENTRY_TYPES.indexOf(entry.type);
  value.set(entry.data, ENTRY_HEADER_BYTES);
  const end = value.length - SUM_BYTES;
  const sum = crc32c(value.subarray(0, end), crc32c(key, previousSum));
  value.writeUInt32BE(sum, end);
  return { key, value, sum };
}

/** Reads the entry after the one with `previousSum`; a fault is text that completes "the entry ...". */
export function decodeEntry(key: Buffer, value: Buffer, previousSum: number): Decoded<StoredEntry> {
  if (key.length !== ENTRY_KEY_BYTES) return { ok: false, fault: `has a key of ${key.length} bytes` };
  if (value.length < ENTRY_HEADER_BYTES + SUM_BYTES)
    return { ok: false, fault: `is ${value.length} bytes long` };
  const end = value.length - SUM_BYTES;
  const sum = crc32c(value.subarray(0, end), crc32c(key, previousSum));
  if (value.readUInt32BE(end) !== sum) return { ok: false, fault: "does not match its checksum" };
  const type = ENTRY_TYPES[value.readUInt8(16)];
  if (type === undefined) return { ok: false, fault: `is of unknown type ${value[16]}` };
  const data = Uint8Array.from(value.subarray(ENTRY_HEADER_BYTES, end));
  const entry = { term: readU64(value, 8), index: readU64(key, 1), type, data };
  return { ok: true, value: { entry, batch: readU64(value, 0), sum } };
}

export function recordStoreKey(generation: number, key: string): Buffer {
  const bytes = Buffer.allocUnsafe(RECORD_PREFIX_BYTES + Buffer.byteLength(key));
  RECORD_KEYS[0].copy(bytes);
  writeU64(bytes, generation, 1);
  bytes.write(key, RECORD_PREFIX_BYTES);
  return bytes;
}

/** The record as it is stored, with its sum, which does not depend on the generation. */
export function encodeRecord(key: string, data: Uint8Array): { value: Buffer; sum: number } {
  const value = Buffer.allocUnsafe(data.length + SUM_BYTES);
  value.set(data);
  const sum = crc32c(data, crc32c(Buffer.from(key)));
  value.writeUInt32BE(sum, data.length);
  return { value, sum };
}

export interface StoredRecord {
  readonly generation: number;
  readonly key: string;
  readonly data: Uint8Array;
  readonly sum: number;
}

/** A fault is text that completes "a record ...". */
export function decodeRecord(storeKey: Buffer, value: Buffer): Decoded<StoredRecord> {
  const end = value.length - SUM_BYTES;
  if (storeKey.length < RECORD_PREFIX_BYTES || end < 0) return { ok: false, fault: "is cut short" };
  const keyBytes = storeKey.subarray(RECORD_PREFIX_BYTES);
  const data = value.subarray(0, end);
  const sum = crc32c(data, crc32c(keyBytes));
  const key = keyBytes.toString();
  if (value.readUInt32BE(end) !== sum) return { ok: false, fault: `${key} does not match its checksum` };
  return { ok: true, value: { generation: readU64(storeKey, 1), key, data, sum } };
}

export function withRecord(totals: RecordTotals, sum: number): RecordTotals {
  return { count: totals.count + 1, sum: (totals.sum + sum) % U32 };
}

export function withoutRecord(totals: RecordTotals, sum: number): RecordTotals {
  return { count: totals.count - 1, sum: (totals.sum - sum + U32) % U32 };
}

export function encodeHead(head: LogHead): Buffer {
  const { start, hardState, applied, records } = head;
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = applied.confState;
  const { batch, lastIndex, lastSum, generation } = head;
  const lists = [voters, votersOutgoing, learners, learnersNext];
  // prettier-ignore
  const numbers = [
    batch, start.index, start.term, start.sum, lastIndex, lastSum,
    hardState.term, hardState.vote, hardState.commit, applied.index, applied.term,
    generation, records.count, records.sum, autoLeave ? 1 : 0,
  ];
  for (const list of lists) numbers.push(list.length, ...list);
  const bytes = Buffer.alloc(1 + 8 * numbers.length + SUM_BYTES);
  bytes[0] = FORMAT_VERSION;
  let at = 1;
  for (const number of numbers) at = writeU64(bytes, number, at);
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, at), crc32c(HEAD_KEY)), at);
  return bytes;
}

/** A fault is text that completes "the head ...". */
export function decodeHead(bytes: Buffer): Decoded<LogHead> {
  const end = bytes.length - SUM_BYTES;
  if (end < 1 || bytes.readUInt32BE(end) !== crc32c(bytes.subarray(0, end), crc32c(HEAD_KEY))) {
    return { ok: false, fault: "does not match its checksum" };
  }
  if (bytes[0] !== FORMAT_VERSION)
    return { ok: false, fault: `is of format ${bytes[0]}, not ${FORMAT_VERSION}` };
  let at = 1 - 8;
  const next = (): number => readU64(bytes, (at += 8));
  const list = (): readonly number[] => Array.from({ length: next() }, next);
  // In the order in which `encodeHead` wrote them, which is that of the literals below.
  const batch = next();
  const start = { index: next(), term: next(), sum: next() };
  const lastIndex = next();
  const lastSum = next();
  const hardState = { term: next(), vote: next(), commit: next() };
  const applied = { index: next(), term: next() };
  const generation = next();
  const records = { count: next(), sum: next() };
  const autoLeave = next() === 1;
  const confState: ConfState = {
    voters: list(),
    votersOutgoing: list(),
    learners: list(),
    learnersNext: list(),
    autoLeave,
  };
  const point = { ...applied, confState };
  const ok = { batch, start, lastIndex, lastSum, hardState, applied: point, generation, records };
  return { ok: true, value: ok };
}

function writeU64(bytes: Buffer, value: number, at: number): number {
  bytes.writeUInt32BE(Math.floor(value / U32), at);
  return bytes.writeUInt32BE(value % U32, at + 4);
}

function readU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * U32 + bytes.readUInt32BE(at + 4);
}
