const MS_PER_DAY = 86_400_000;

/**
 * `2026-05-01T12:00:00Z` for Unix milliseconds, cut to the second; for texts that pure code writes for people.
 * The calendar arithmetic is Howard Hinnant's `civil_from_days` (chrono-compatible low-level date algorithms).
 */
export function formatInstant(unixMs: number): string {
  const days = Math.floor(unixMs / MS_PER_DAY);
  const seconds = Math.floor((unixMs - days * MS_PER_DAY) / 1000);
  const { year, month, day } = civilFromDays(days);
  const time = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
    .map(twoDigits)
    .join(":");
  return `${String(year).padStart(4, "0")}-${twoDigits(month)}-${twoDigits(day)}T${time}Z`;
}

/** Years are counted from 1 March, so that the leap day is the last of its year; an era is 400 such years. */
function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  };
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
