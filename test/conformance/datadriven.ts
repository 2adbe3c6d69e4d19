/** One argument of a directive: `key`, `key=value` or `key=(value,value)`. */
export interface Argument {
  readonly key: string;
  readonly values: readonly string[];
}

/** What to do. */
export interface Directive {
  readonly command: string;
  readonly args: readonly Argument[];
}

/** One directive of a script with the output that it must have. */
export interface Stanza extends Directive {
  /** Line of the directive, from 1. */
  readonly line: number;
  /** The directive as it is written. */
  readonly text: string;
  /** Lines between the directive and `----`. */
  readonly input: string;
  readonly expected: string;
}

const FENCE = "----";

/**
 * Reads a script of the datadriven format: comments (`#`), then a directive, its input, `----`, and the expected output
 * up to a blank line; or, when `----` is doubled, up to the next doubled `----`.
 */
export function parseScript(text: string): readonly Stanza[] {
  const lines = new Lines(text);
  const stanzas: Stanza[] = [];
  for (;;) {
    lines.takeUntil((line) => line.trim() !== "" && !line.startsWith("#"));
    if (lines.atEnd) return stanzas;
    const { number } = lines;
    const directive = takeDirective(lines);
    const input = lines.takeUntil((line) => line === FENCE).join("\n");
    if (lines.atEnd) throw new Error(`line ${number}: "${directive}" has no line ${FENCE}`);
    lines.take();
    const expected = takeExpected(lines);
    stanzas.push({ line: number, text: directive, ...parseDirective(directive), input, expected });
  }
}

/** Reads "cmd arg k=v k=(a,b)". */
export function parseDirective(text: string): Directive {
  const [command = "", ...args] = splitWords(text);
  return { command, args: args.map(parseArgument) };
}

/** A directive goes on in the next line after a backslash. */
function takeDirective(lines: Lines): string {
  let directive = lines.take().trim();
  while (directive.endsWith("\\")) directive = `${directive.slice(0, -1)} ${lines.take().trim()}`;
  return directive;
}

function takeExpected(lines: Lines): string {
  const isDoubled = lines.peek() === FENCE;
  if (!isDoubled) return joinLines(lines.takeUntil((line) => line.trim() === ""));
  lines.take();
  const { number } = lines;
  const expected = lines.takeUntil((line, next) => line === FENCE && next === FENCE);
  if (lines.atEnd) throw new Error(`line ${number}: the doubled ${FENCE} before it is not closed`);
  lines.take();
  lines.take();
  return joinLines(expected);
}

function joinLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

/** The lines of a text, read one after the other. */
class Lines {
  readonly #lines: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#lines = text.split(/\r?\n/);
  }

  get atEnd(): boolean {
    return this.#at >= this.#lines.length;
  }

  /** The number of the next line, from 1. */
  get number(): number {
    return this.#at + 1;
  }

  peek(): string {
    return this.#lines[this.#at] ?? "";
  }

  take(): string {
    const line = this.peek();
    this.#at += 1;
    return line;
  }

  /** Takes lines up to the first one for which `isEnd` holds; it is told the line after it as well. */
  takeUntil(isEnd: (line: string, next: string) => boolean): readonly string[] {
    const start = this.#at;
    while (!this.atEnd && !isEnd(this.peek(), this.#lines[this.#at + 1] ?? "")) this.#at += 1;
    return this.#lines.slice(start, this.#at);
  }
}

/** Splits at blanks outside of parentheses. */
function splitWords(directive: string): readonly string[] {
  return directive.match(/(?:\([^)]*\)|[^\s(])+/g) ?? [];
}

function parseArgument(word: string): Argument {
  const equals = word.indexOf("=");
  if (equals < 0) return { key: word, values: [] };
  const value = word.slice(equals + 1);
  const list = value.startsWith("(") && value.endsWith(")") ? value.slice(1, -1).split(",") : [value];
  return {
    key: word.slice(0, equals),
    values: list.map((each) => each.trim()).filter((each) => each !== ""),
  };
}
