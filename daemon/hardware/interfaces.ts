import { isIPv4, isIPv6 } from "node:net";

/**
 * The interface that carries `address`: exactly, whatever the spelling of an IPv6 address, or, for a loopback address
 * 127.0.0.0/8, by subnet, since Linux answers on all of them. Null when none does, and for a host name.
 */
export function interfaceOfAddress<T extends { readonly address: string }>(
  interfaces: readonly T[],
  address: string,
): T | null {
  const wanted = ipOf(address);
  if (wanted === null) return null;
  const exact = interfaces.find((candidate) => sameIp(ipOf(candidate.address), wanted));
  if (exact !== undefined) return exact;
  if (!isLoopbackV4(wanted)) return null;
  return interfaces.find((candidate) => isLoopbackV4(ipOf(candidate.address))) ?? null;
}

/** The subnet of an address: (`10.0.0.7`, 24) -> `10.0.0.0/24`. Null when the address or the length is none. */
export function subnetOf(address: string, prefixBits: number): string | null {
  const ip = ipOf(address);
  if (ip === null || !Number.isInteger(prefixBits) || prefixBits < 0 || prefixBits > ip.bits) return null;
  const hostBits = BigInt(ip.bits - prefixBits);
  return `${textOf({ bits: ip.bits, value: (ip.value >> hostBits) << hostBits })}/${prefixBits}`;
}

/** `fe80::/10`: valid on its own link only, so no other node can dial it. */
export function isLinkLocalV6(address: string): boolean {
  const ip = ipOf(address);
  return ip !== null && ip.bits === 128 && ip.value >> 118n === 0x3fan;
}

interface Ip {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** Reads an address with or without brackets and zone; an IPv4 address mapped into IPv6 is that IPv4 address. */
function ipOf(text: string): Ip | null {
  const bare = text.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, "");
  if (isIPv4(bare)) return { bits: 32, value: joined(bare.split(".").map(Number), 8n) };
  if (!isIPv6(bare)) return null;
  const value = joined(hexGroupsOf(bare), 16n);
  return value >> 32n === 0xffffn ? { bits: 32, value: value & 0xffffffffn } : { bits: 128, value };
}

/** The eight groups of an IPv6 address. The URL parser writes it in canonical form, without an IPv4 tail. */
function hexGroupsOf(address: string): readonly number[] {
  const [head = "", tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
}

function textOf({ bits, value }: Ip): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join(".");
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  );
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

function joined(parts: readonly number[], bitsEach: bigint): bigint {
  return parts.reduce((sum, part) => (sum << bitsEach) | BigInt(part), 0n);
}

function sameIp(a: Ip | null, b: Ip): boolean {
  return a !== null && a.bits === b.bits && a.value === b.value;
}

function isLoopbackV4(ip: Ip | null): boolean {
  return ip !== null && ip.bits === 32 && ip.value >> 24n === 127n;
}
