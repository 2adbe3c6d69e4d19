/**
 * The known name that a mistyped one most likely means, or null when none is near: at most one edit for every three
 * characters, upper and lower case alike.
 */
export function nearestName(found: string, known: readonly string[]): string | null {
  if (found.length > nameLengthMax) return null;
  const editsMax = Math.max(1, Math.floor(found.length / 3));
  let best: { readonly name: string; readonly edits: number } | null = null;
  for (const name of known) {
    const edits = editDistance(found.toLowerCase(), name.toLowerCase());
    if (edits <= editsMax && (best === null || edits < best.edits)) best = { name, edits };
  }
  return best?.name ?? null;
}

/** Longer ones are no typing mistake of any property. */
const nameLengthMax = 64;

/** Optimal string alignment: insertions, deletions, replacements and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = a[row - 1] === b[column - 1] ? 0 : 1;
      let edits = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + replaced,
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) edits = Math.min(edits, (beforeLast[column - 2] ?? 0) + 1);
      current.push(edits);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
