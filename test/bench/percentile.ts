/**
 * The p-th percentile by nearest rank: the smallest of `values` that at least p percent of them do not exceed, so
 * always a value that was measured. `p` is above 0 and at most 100. Throws when there is no value.
 */
export function percentile(values: readonly number[], p: number): number {
  if (!(p > 0 && p <= 100)) throw new RangeError(`a percentile is above 0 and at most 100, not ${p}`);
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.ceil((p / 100) * sorted.length) - 1];
  if (value === undefined) throw new RangeError(`no value was measured, so there is no percentile ${p}`);
  return value;
}
