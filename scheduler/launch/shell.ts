/** The word as a POSIX shell reads it back unchanged, whatever stands in it. */
export function quoteWord(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
