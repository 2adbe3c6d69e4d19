import { parseAddress } from "../model/address.ts";
import type { Attempt, Part } from "../model/job.ts";

/** The part at an index; an index that the gang does not have is a defect of the caller. */
export function partAt(attempt: Attempt, index: number): Part {
  const part = attempt.parts[index];
  if (part === undefined) throw new Error(`The gang of ${attempt.parts.length} parts has no part ${index}`);
  return part;
}

/**
 * The host by which other nodes reach the part: the advertised one where it is an IP address, else the address of the
 * interface that carries it. Names are the last resort, since not every rendezvous resolves them.
 */
export function hostOf(part: Part): string {
  const advertised = parseAddress(part.address)?.host ?? part.address;
  return isIpAddress(advertised) ? advertised : (part.network?.address ?? advertised);
}

function isIpAddress(host: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(host) || host.includes(":");
}

/** `host:port`, with an IPv6 address in brackets. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
