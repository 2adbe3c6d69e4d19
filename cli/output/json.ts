/** A document for programs, with the API's field names. Its characters are safe for a terminal, too. */
export function jsonDocument(value: unknown): string {
  return `${escaped(JSON.stringify(value, null, 2))}\n`;
}

/** One document on one line, for streams of them. */
export function jsonLine(value: unknown): string {
  return `${escaped(JSON.stringify(value))}\n`;
}

/** JSON escapes only the first 32 control characters; the others mean the same as \uXXXX. */
function escaped(json: string): string {
  return json.replaceAll(/[\x7f-\x9f]|\p{Cf}|\p{Zl}|\p{Zp}/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}
