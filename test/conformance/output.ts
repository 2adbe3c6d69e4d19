import type { Logger } from "../../daemon/raft/core/core.ts";
import { Refusal } from "./arguments.ts";

const LEVELS = ["DEBUG", "INFO", "WARN", "ERROR", "FATAL", "NONE"] as const;

/** Where commands print and nodes log. At level NONE neither leaves a trace. */
export class Output implements Logger {
  #level = 0;
  #text = "";

  get isQuiet(): boolean {
    return LEVELS[this.#level] === "NONE";
  }

  get level(): number {
    return this.#level;
  }

  set level(level: number) {
    this.#level = level;
  }

  /** Returns everything since the last call. */
  take(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }

  write(text: string): void {
    if (!this.isQuiet) this.#text += text;
  }

  /** Indents what is written meanwhile by two spaces, and ends it with a newline. */
  indented(work: () => void): void {
    const before = this.take();
    try {
      work();
    } finally {
      const lines = this.take().split("\n");
      if (lines.at(-1) === "") lines.pop();
      this.#text = before + lines.map((line) => `  ${line}\n`).join("");
    }
  }

  debug(text: string): void {
    this.#log(0, text);
  }

  info(text: string): void {
    this.#log(1, text);
  }

  warn(text: string): void {
    this.#log(2, text);
  }

  error(text: string): void {
    this.#log(3, text);
  }

  #log(level: number, text: string): void {
    if (level >= this.#level) this.write(`${LEVELS[level]} ${text}\n`);
  }
}

/** The number of a level by its name in any case. */
export function parseLevel(name: string): number {
  const level = LEVELS.findIndex((each) => each === name.toUpperCase());
  if (level < 0) throw new Refusal(`log levels must be either of [${LEVELS.join(" ")}]`);
  return level;
}
