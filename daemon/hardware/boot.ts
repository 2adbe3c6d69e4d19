import { readFileSync } from "node:fs";

/** Identity of this boot of the kernel: another one proves that everything started before is gone. */
export function readBootId(): string {
  const id = readFileSync(bootIdFile, "utf8").trim();
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) {
    throw new Error(
      `${bootIdFile} holds ${JSON.stringify(id.slice(0, 64))}, which is no boot id: is /proc mounted?`,
    );
  }
  return id;
}

/**
 * Milliseconds since boot, in steps of 10, on the clock that shims compare their deadlines with. It goes on while the
 * machine is suspended and no one can set it. The file is served from memory, so reading it does not block.
 */
export function bootClockMs(): number {
  return parseUptimeMs(readFileSync(uptimeFile, "utf8"));
}

/** `1318.07 2556.33` -> 1318070. Throws on any other form: without this clock no deadline can be kept. */
export function parseUptimeMs(text: string): number {
  const match = /^(\d{1,12})\.(\d{2})(?:\s|$)/.exec(text);
  if (match === null) {
    throw new Error(
      `${uptimeFile} holds ${JSON.stringify(text.slice(0, 64))}, which is no uptime: is /proc mounted?`,
    );
  }
  return Number(match[1]) * 1000 + Number(match[2]) * 10;
}

const bootIdFile = "/proc/sys/kernel/random/boot_id";
const uptimeFile = "/proc/uptime";
