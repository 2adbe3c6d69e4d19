import { appendFileSync } from "node:fs";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cleanUp, temporaryFolder } from "./agent.fixture.ts";
import type { ReadOptions } from "./held-log.ts";
import { readHeldLog } from "./held-log.ts";
import type { CommandLog } from "./part.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());
afterEach(cleanUp);

/** The log of one command, that a test writes. */
class Log {
  readonly stdoutPath = join(temporaryFolder(), "stdout.txt");
  ended = false;

  current(): CommandLog {
    return { stdoutPath: this.stdoutPath, stderrPath: "/dev/null", ended: this.ended };
  }

  read(options: Partial<ReadOptions> = {}): AsyncGenerator<{ offset: number; data: Buffer }, void> {
    const { signal } = new AbortController();
    return readHeldLog(() => this.current(), {
      stream: "stdout",
      offset: 0,
      follow: true,
      signal,
      ...options,
    });
  }

  async text(options: Partial<ReadOptions> = {}): Promise<string> {
    const pieces: Buffer[] = [];
    for await (const piece of this.read(options)) pieces.push(piece.data);
    return Buffer.concat(pieces).toString();
  }
}

describe("a held log", () => {
  it("gives a reader every byte once, whenever it comes and however often it comes back", async () => {
    const chunk = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.constant(new Uint8Array(70_000)),
    );
    const reader = fc.record({ start: fc.nat(500), hangsUpAfter: fc.array(fc.nat(3), { maxLength: 3 }) });
    const readers = fc.array(reader, { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { maxLength: 8 }), readers, async (chunks, wanted) => {
        const log = new Log();
        const whole = Buffer.concat(chunks);
        const reading = wanted.map((each) => readWithBreaks(log, each));
        for (const data of chunks) {
          await appendFile(log.stdoutPath, data);
          await turn();
        }
        log.ended = true;
        for (const [at, bytes] of (await polled(Promise.all(reading))).entries()) {
          expect(bytes.equals(whole.subarray(wanted[at]?.start))).toBe(true);
        }
      }),
      { numRuns: 8 },
    );
  });

  it("misses nothing that is written after a read and before the command is found ended", async () => {
    const log = new Log();
    await writeFile(log.stdoutPath, "first ");
    let looks = 0;
    const current = (): CommandLog => {
      looks += 1;
      if (looks === 2) {
        appendFileSync(log.stdoutPath, "last");
        log.ended = true;
      }
      return log.current();
    };
    const { signal } = new AbortController();
    const pieces = readHeldLog(current, { stream: "stdout", offset: 0, follow: true, signal });
    expect(await polled(pieces.next())).toMatchObject({ value: { offset: 0, data: Buffer.from("first ") } });
    expect(await polled(pieces.next())).toMatchObject({ value: { offset: 6, data: Buffer.from("last") } });
    expect((await polled(pieces.next())).done).toBe(true);
  });

  it("ends at what there is without follow", async () => {
    const log = new Log();
    expect(await log.text({ follow: false })).toBe("");
    await writeFile(log.stdoutPath, "so far");
    expect(await log.text({ follow: false })).toBe("so far");
    expect(await log.text({ follow: false, offset: 3 })).toBe("far");
    expect(await log.text({ follow: false, offset: 300 })).toBe("");
  });

  it("waits for a file that is not there yet, and ends without it when the command never wrote", async () => {
    const log = new Log();
    const reading = log.text();
    await turn();
    log.ended = true;
    expect(await polled(reading)).toBe("");
  });

  it("ends when its reader leaves", async () => {
    const log = new Log();
    await writeFile(log.stdoutPath, "so far");
    const leaving = new AbortController();
    const pieces = log.read({ signal: leaving.signal });
    await pieces.next();
    const next = pieces.next();
    leaving.abort();
    expect((await polled(next)).done).toBe(true);
  });

  it("ends when the command is not on record", async () => {
    const { signal } = new AbortController();
    const pieces = readHeldLog(() => null, { stream: "stderr", offset: 0, follow: true, signal });
    expect((await pieces.next()).done).toBe(true);
  });
});

/** Lets the time for the next poll pass, again and again, until `result` is there. */
async function polled<T>(result: Promise<T>): Promise<T> {
  const waiting = setInterval(() => vi.advanceTimersByTime(100), 1);
  return result.finally(() => clearInterval(waiting));
}

/** Reads to the end, but hangs up after so many pieces and comes back with the offset it has reached. */
async function readWithBreaks(
  log: Log,
  { start, hangsUpAfter }: { readonly start: number; readonly hangsUpAfter: readonly number[] },
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let offset = start;
  for (const piecesMax of [...hangsUpAfter, Infinity]) {
    let count = 0;
    if (piecesMax === 0) continue;
    for await (const piece of log.read({ offset })) {
      expect(piece.offset).toBe(offset);
      pieces.push(piece.data);
      offset += piece.data.length;
      count += 1;
      if (count >= piecesMax) break;
    }
  }
  return Buffer.concat(pieces);
}
