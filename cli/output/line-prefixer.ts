/** A line that grows longer is cut into several, so that a command that never ends one can not fill the memory. */
const lineBytesMax = 65_536;
const LINE_FEED = 0x0a;

/**
 * Puts a name before each line of a stream of bytes. Only whole lines come out, so that the lines of several streams
 * can be mixed; `end` gives what is left as a line.
 */
export class LinePrefixer {
  readonly #prefix: Buffer;
  #rest: Buffer = Buffer.alloc(0);

  constructor(prefix: string) {
    this.#prefix = Buffer.from(prefix);
  }

  /** The lines that `data` completes. */
  add(data: Uint8Array): Buffer {
    const bytes = Buffer.concat([this.#rest, data]);
    const lines: Buffer[] = [];
    let start = 0;
    while (start < bytes.length) {
      const feed = bytes.indexOf(LINE_FEED, start);
      const tooLong = (feed === -1 ? bytes.length : feed) - start > lineBytesMax;
      if (feed === -1 && !tooLong) break;
      const end = tooLong ? start + lineBytesMax : feed;
      lines.push(this.#prefix, bytes.subarray(start, end), NEW_LINE);
      start = tooLong ? end : end + 1;
    }
    this.#rest = bytes.subarray(start);
    return Buffer.concat(lines);
  }

  /** What came after the last line feed, as a line; empty when nothing did. */
  end(): Buffer {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest.length === 0 ? rest : Buffer.concat([this.#prefix, rest, NEW_LINE]);
  }
}

const NEW_LINE = Buffer.from("\n");
