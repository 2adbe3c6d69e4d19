import { readFileSync } from "node:fs";

/**
 * Milliseconds since this machine booted, in steps of 10. Time asleep counts, and nothing sets it back, which neither
 * the wall clock nor the monotonic clock can say (proc_uptime(5), CLOCK_BOOTTIME).
 */
export function bootClockMs(): number {
  return parseUptimeMs(readFileSync("/proc/uptime", "latin1"));
}

/** `"1227.64 2378.33\n"` is 1227640. */
export function parseUptimeMs(uptime: string): number {
  const match = /^(\d+)\.(\d\d)\s/.exec(uptime);
  if (match === null) throw new Error(`/proc/uptime reads ${JSON.stringify(uptime)}, which is not a time`);
  return Number(`${match[1]}${match[2]}`) * 10;
}

/** Names this boot of the machine: pids and boot clock readings of another boot mean nothing. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
}
