/** Matches .NET's `[days.]hh:mm:ss` and the days-to-seconds part of ISO 8601's `P1DT2H3M4S`, Batch AI's two forms. */
export const wallClockPattern =
  /^(?:(?:(\d{1,7})\.)?(\d{1,2}):(\d{1,2}):(\d{1,2})|P(?=\d|T\d)(?:(\d{1,7})D)?(?:T(?=\d)(?:(\d{1,7})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?)$/;

/** Seconds of a duration, or null when it is none. */
export function wallClockSeconds(duration: string): number | null {
  const match = wallClockPattern.exec(duration);
  if (match === null) return null;
  const [, netDays, netHours, netMinutes, netSeconds, days, hours, minutes, seconds] = match;
  const total = (d?: string, h?: string, m?: string, s?: string): number =>
    ((Number(d ?? 0) * 24 + Number(h ?? 0)) * 60 + Number(m ?? 0)) * 60 + Number(s ?? 0);
  return netHours === undefined
    ? total(days, hours, minutes, seconds)
    : total(netDays, netHours, netMinutes, netSeconds);
}

/** The ISO 8601 form of a duration, e.g. `P7D` or `PT1H30M`. */
export function isoDuration(totalSeconds: number): string {
  const days = Math.floor(totalSeconds / 86_400);
  const parts = [
    [Math.floor(totalSeconds / 3_600) % 24, "H"],
    [Math.floor(totalSeconds / 60) % 60, "M"],
    [totalSeconds % 60, "S"],
  ] as const;
  const time = parts.map(([count, unit]) => (count === 0 ? "" : `${count}${unit}`)).join("");
  return `P${days === 0 ? "" : `${days}D`}${time === "" ? "" : `T${time}`}`;
}
