import { formatInstant } from "../../scheduler/model/instant.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const UNITS = [
  ["d", DAY],
  ["h", HOUR],
  ["m", MINUTE],
  ["s", SECOND],
] as const;

/** A time span in its two largest units, e.g. `2h05m`, `3d4h`, `12s`; never negative. */
export function span(ms: number): string {
  const whole = Math.max(0, ms);
  const index = UNITS.findIndex(([, size]) => whole >= size);
  if (index === -1) return "0s";
  const [unit, size] = UNITS[index] ?? UNITS[3];
  const major = `${Math.floor(whole / size)}${unit}`;
  const next = UNITS[index + 1];
  if (next === undefined) return major;
  const minor = Math.floor((whole % size) / next[1]);
  return minor === 0 ? major : `${major}${minor}${next[0]}`;
}

/** An instant in UTC, e.g. `2026-05-01T12:00:00Z`; `-` for one that is not set (0). */
export function instant(unixMs: number): string {
  return unixMs === 0 ? "-" : formatInstant(unixMs);
}

/** Milliseconds of `90s`, `30m`, `1h`, `7d` or a sum such as `1h30m`; null for anything else. */
export function parseSpan(text: string): number | null {
  if (!/^(?:\d{1,6}[dhms])+$/.test(text)) return null;
  const sizes = new Map<string | undefined, number>(UNITS);
  return [...text.matchAll(/(\d+)([dhms])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (sizes.get(unit) ?? 0),
    0,
  );
}
