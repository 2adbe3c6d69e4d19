/**
 * What a terminal acts on or hides: control characters of both sets, directional overrides, and characters without
 * width. A name with them could rewrite the screen or pass for another.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;

/** The text with every unsafe character written out, e.g. `\x1b`; safe to send to a terminal, on one line. */
export function visible(text: string): string {
  return text.replaceAll(unsafe, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** As `visible`, for text of several lines: line feeds stay. */
export function visibleLines(text: string): string {
  return text.split("\n").map(visible).join("\n");
}
