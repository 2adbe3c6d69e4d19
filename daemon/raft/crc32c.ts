/** CRC-32C (Castagnoli), RFC 3720 appendix B.4: the reflected polynomial. */
const POLYNOMIAL = 0x82f63b78;
const table = makeTable();

/**
 * The CRC-32C of `bytes`, as an unsigned 32-bit number. `previous` continues an earlier sum:
 * `crc32c(b, crc32c(a))` is the sum of `a` followed by `b`. (`node:zlib` has the IEEE polynomial only.)
 */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  let crc = ~previous;
  for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] ?? 0);
  return ~crc >>> 0;
}

function makeTable(): Int32Array {
  const entries = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    entries[byte] = crc;
  }
  return entries;
}
