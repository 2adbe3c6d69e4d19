import { crc32c } from "./crc32c.ts";
import type { Decoded } from "./log-record.ts";
import type { KnownPeer, StoreIdentity } from "./peer-identity.ts";

/*
 * Two more records of a log database, beside those of log-record.ts; JSON, for they are few, small and seldom written.
 *
 *   "i"              ->  StoreIdentity sum:u32
 *   "p" member:u64   ->  KnownPeer sum:u32
 */

export const IDENTITY_KEY = Buffer.from("i");
/** All keys of known peers lie from the first (included) to the second (excluded). */
export const PEER_KEYS = [Buffer.from("p"), Buffer.from("q")] as const;

const PEER_KEY_BYTES = 9;
const SUM_BYTES = 4;

export function peerKey(member: number): Buffer {
  const key = Buffer.alloc(PEER_KEY_BYTES);
  PEER_KEYS[0].copy(key);
  key.writeBigUInt64BE(BigInt(member), 1);
  return key;
}

export function memberOfKey(key: Buffer): number {
  return Number(key.readBigUInt64BE(1));
}

export function encodeIdentity(key: Buffer, value: StoreIdentity | KnownPeer): Buffer {
  const text = Buffer.from(JSON.stringify(value));
  const bytes = Buffer.alloc(text.length + SUM_BYTES);
  text.copy(bytes);
  bytes.writeUInt32BE(crc32c(text, crc32c(key)), text.length);
  return bytes;
}

/** A fault is text that completes "the identity ...". What has its sum was written by `encodeIdentity`. */
export function decodeIdentity<T extends StoreIdentity | KnownPeer>(key: Buffer, bytes: Buffer): Decoded<T> {
  const end = bytes.length - SUM_BYTES;
  if (end < 0 || bytes.readUInt32BE(end) !== crc32c(bytes.subarray(0, end), crc32c(key))) {
    return { ok: false, fault: "does not match its checksum" };
  }
  return { ok: true, value: JSON.parse(bytes.subarray(0, end).toString()) as T };
}
