/** One argument of a directive: `key`, `key=value` or `key=(value,value)`. */
export interface Argument {
  readonly key: string;
  /** Empty without `=`; one empty text for `key=` and `key=()`. */
  readonly values: readonly string[];
}

/** What to do. */
export interface Directive {
  /** Empty for a line without a word. */
  readonly command: string;
  readonly args: readonly Argument[];
}

/** One directive of a script with the output that it must have. */
export interface Stanza extends Directive {
  /** Line of the directive, from 1. */
  readonly line: number;
  /** The directive as it is written. */
  readonly text: string;
  /** Lines between the directive and `----`, without blanks at both ends. */
  readonly input: string;
  readonly expected: string;
}

const FENCE = "----";

/**
 * Reads a script of the datadriven format (github.com/cockroachdb/datadriven): comments (`#`), then a directive, its
 * input, `----`, and the expected output up to a blank line; or, when `----` is doubled, up to the next doubled `----`.
 * Subtests only group stanzas: what opens and closes them is passed over. Throws with the number of the faulty line.
 */
export function parseScript(text: string): readonly Stanza[] {
  const lines = new Lines(text);
  const stanzas: Stanza[] = [];
  const subtests: string[] = [];
  for (;;) {
    lines.takeUntil((line) => line.trim() !== "" && !line.trim().startsWith("#"));
    if (lines.atEnd) break;
    const { number } = lines;
    const directive = takeDirective(lines);
    const parsed = atLine(number, () => parseDirective(directive));
    if (parsed.command === "subtest") {
      atLine(number, () => nest(subtests, parsed.args));
    } else {
      stanzas.push({ line: number, text: directive, ...parsed, ...atLine(number, () => takeBody(lines)) });
    }
  }
  if (subtests.length > 0) throw new Error(`subtest ${subtests.at(-1)} has no "subtest end"`);
  return stanzas;
}

/** Reads "cmd arg k=v k=(a,b)"; values may contain parentheses, which nest. */
export function parseDirective(text: string): Directive {
  const line = text.trim();
  let at = 0;
  /** Everything up to one of these characters, or to the end. */
  const takeUntil = (stops: string): string => {
    const start = at;
    while (at < line.length && !stops.includes(line.charAt(at))) at += 1;
    return line.slice(start, at);
  };
  const refuse = (): never => {
    throw new Error(`cannot parse directive at column ${at + 1}: ${line}`);
  };
  const skipBlanks = (): void => {
    while (/\s/.test(line.charAt(at))) at += 1;
  };
  const takeList = (): readonly string[] => {
    const values: string[] = [];
    let start = at;
    for (let depth = 1; at < line.length; at += 1) {
      const character = line.charAt(at);
      if (character === "(") depth += 1;
      if (character === ")") depth -= 1;
      if (depth > 1 || (depth === 1 && character !== ",")) continue;
      values.push(line.slice(start, at).trim());
      start = at + 1;
      if (depth > 0) continue;
      at += 1;
      return values;
    }
    return refuse();
  };
  const takeValues = (): readonly string[] => {
    if (line.charAt(at) !== "=") return [];
    at += 1;
    if (line.charAt(at) !== "(") return [takeUntil(" ")];
    at += 1;
    return takeList();
  };

  const command = takeUntil(" ");
  const args: Argument[] = [];
  for (skipBlanks(); at < line.length; skipBlanks()) {
    const key = takeUntil(" =");
    if (key === "") refuse();
    args.push({ key, values: takeValues() });
  }
  return { command, args };
}

/** Opens or closes a subtest; the names of nested ones begin with the names around them. */
function nest(open: string[], [first, second, ...rest]: readonly Argument[]): void {
  if (first === undefined || rest.length > 0) throw new Error("subtest takes a name, or end and a name");
  if (first.key !== "end") {
    const around = open.at(-1);
    if (second !== undefined) throw new Error("subtest takes one name");
    if (around !== undefined && !first.key.startsWith(`${around}/`)) {
      throw new Error(`the name of a subtest in ${around} must begin with "${around}/"`);
    }
    open.push(first.key);
    return;
  }
  const closed = open.pop();
  if (closed === undefined) throw new Error("subtest end without a subtest");
  if (second !== undefined && second.key !== closed)
    throw new Error(`subtest end of ${second.key} closes ${closed}`);
}

/** A directive goes on in the next line after a backslash. */
function takeDirective(lines: Lines): string {
  let directive = lines.take().trim();
  while (directive.endsWith("\\") && !lines.atEnd) {
    directive = `${directive.slice(0, -1)} ${lines.take().trim()}`;
  }
  return directive;
}

function takeBody(lines: Lines): Pick<Stanza, "input" | "expected"> {
  const input = lines.takeUntil((line) => line === FENCE).join("\n");
  if (lines.atEnd) throw new Error(`the directive has no line ${FENCE}`);
  lines.take();
  return { input: input.trim(), expected: takeExpected(lines) };
}

function takeExpected(lines: Lines): string {
  if (lines.peek() !== FENCE) return joinLines(lines.takeUntil((line) => line.trim() === ""));
  lines.take();
  const expected = lines.takeUntil((line, next) => line === FENCE && next === FENCE);
  if (lines.atEnd) throw new Error(`the doubled ${FENCE} is not closed`);
  lines.take();
  lines.take();
  if (lines.peek() !== "") throw new Error(`a blank line must follow the closing doubled ${FENCE}`);
  return joinLines(expected);
}

function joinLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

function atLine<Result>(number: number, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw new Error(`line ${number}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** The lines of a text, read one after the other. */
class Lines {
  readonly #lines: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#lines = text.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
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
