import type { ConfState, Entry, EntryType, HardState } from "./core/core.ts";
import { crc32c } from "./crc32c.ts";

/*
 * Layout of the records of a log database, all numbers big-endian.
 *
 *   "e" index:u64  ->  batch:u64 term:u64 type:u8 data sum:u32
 *   "h"            ->  version:u8 batch:u64 last:u64 lastSum:u32 hardState confIndex:u64 confState sum:u32
 *
 * An entry's sum covers its key and value and continues the sum of the entry before it, so it vouches for the whole log
 * up to here: an entry that came back from before a replacement is seen as surely as a flipped bit. The head is
 * rewritten by every batch; it numbers the batch and names the last entry with its sum.
 */

export const HEAD_KEY = Buffer.from("h");
/** All entry keys lie from the first (included) to the second (excluded). */
export const ENTRY_KEYS = [Buffer.from("e"), Buffer.from("f")] as const;

const FORMAT_VERSION = 1;
const ENTRY_TYPES: readonly EntryType[] = ["EntryNormal", "EntryConfChange", "EntryConfChangeV2"];
const ENTRY_KEY_BYTES = 9;
const ENTRY_HEADER_BYTES = 17;
const SUM_BYTES = 4;
const U32 = 2 ** 32;

/** The sum before the first entry of a log. */
export const EMPTY_LOG_SUM = 0;

/** A membership, and the index of the entry whose application made it. */
export interface AppliedConfState {
  readonly index: number;
  readonly state: ConfState;
}

/** What the newest batch says of the whole log. */
export interface LogHead {
  /** 1, 2, 3, ...: the number of the batch that wrote this head. */
  readonly batch: number;
  readonly lastIndex: number;
  readonly lastSum: number;
  readonly hardState: HardState;
  readonly confState: AppliedConfState | null;
}

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

export function encodeHead(head: LogHead): Buffer {
  const { hardState, confState } = head;
  const lists = confLists(confState?.state);
  const numbers = lists.reduce((count, list) => count + 1 + list.length, 0);
  const bytes = Buffer.alloc(1 + 8 + 8 + 4 + 24 + 8 + 1 + 8 * numbers + SUM_BYTES);
  bytes[0] = FORMAT_VERSION;
  writeU64(bytes, head.batch, 1);
  writeU64(bytes, head.lastIndex, 9);
  bytes.writeUInt32BE(head.lastSum, 17);
  writeU64(bytes, hardState.term, 21);
  writeU64(bytes, hardState.vote, 29);
  writeU64(bytes, hardState.commit, 37);
  writeU64(bytes, confState?.index ?? 0, 45);
  bytes[53] = confState?.state.autoLeave ? 1 : 0;
  let at = 54;
  for (const number of lists.flatMap((list) => [list.length, ...list])) at = writeU64(bytes, number, at);
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, at), crc32c(HEAD_KEY)), at);
  return bytes;
}

/** A fault is text that completes "the head ...". */
export function decodeHead(bytes: Buffer): Decoded<LogHead> {
  const end = bytes.length - SUM_BYTES;
  if (end < 54 || bytes.readUInt32BE(end) !== crc32c(bytes.subarray(0, end), crc32c(HEAD_KEY))) {
    return { ok: false, fault: "does not match its checksum" };
  }
  if (bytes[0] !== FORMAT_VERSION)
    return { ok: false, fault: `is of format ${bytes[0]}, not ${FORMAT_VERSION}` };
  let at = 54;
  const readList = (): readonly number[] => {
    const length = readU64(bytes, at);
    const list = Array.from({ length }, (_, nth) => readU64(bytes, at + 8 * (nth + 1)));
    at += 8 * (length + 1);
    return list;
  };
  const confIndex = readU64(bytes, 45);
  const state: ConfState = {
    voters: readList(),
    votersOutgoing: readList(),
    learners: readList(),
    learnersNext: readList(),
    autoLeave: bytes[53] === 1,
  };
  return {
    ok: true,
    value: {
      batch: readU64(bytes, 1),
      lastIndex: readU64(bytes, 9),
      lastSum: bytes.readUInt32BE(17),
      hardState: { term: readU64(bytes, 21), vote: readU64(bytes, 29), commit: readU64(bytes, 37) },
      confState: confIndex === 0 ? null : { index: confIndex, state },
    },
  };
}

function confLists(state: ConfState | undefined): readonly (readonly number[])[] {
  return state === undefined
    ? [[], [], [], []]
    : [state.voters, state.votersOutgoing, state.learners, state.learnersNext];
}

function writeU64(bytes: Buffer, value: number, at: number): number {
  bytes.writeUInt32BE(Math.floor(value / U32), at);
  return bytes.writeUInt32BE(value % U32, at + 4);
}

function readU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * U32 + bytes.readUInt32BE(at + 4);
}
