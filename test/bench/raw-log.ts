import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { z } from "zod";

const RawEvent = z
  .object({ event: z.enum(["submit", "ack", "start", "stop", "kill"]), at: z.number().int().nonnegative() })
  .catchall(z.union([z.string(), z.number(), z.boolean()]));

/**
 * One event of a benchmark. `at` is in nanoseconds of the machine's monotonic clock, so the events of several processes
 * of one machine can be compared. The other fields say what it happened to, such as `job`, `attempt`, `rank`, `node`.
 */
export type RawEvent = z.infer<typeof RawEvent>;
export type RawEventKind = RawEvent["event"];
export type RawFields = Readonly<Record<string, string | number | boolean>>;

/** Appends events to a file, one JSON object a line. What a benchmark prints is computed from that file alone. */
export class RawLog {
  readonly #file: number;
  #buffered = "";

  /** Creates the file, or empties it. */
  constructor(path: string) {
    this.#file = openSync(path, "w");
  }

  /** Records that `event` happened now, or at `at`. Cheap enough for a hot loop: writes once in 64 KiB. */
  add(event: RawEventKind, fields: RawFields = {}, at: number = monotonicNs()): void {
    this.#buffered += `${JSON.stringify({ event, at, ...fields })}\n`;
    if (this.#buffered.length >= bufferedCharactersMax) this.#flush();
  }

  close(): void {
    this.#flush();
    closeSync(this.#file);
  }

  #flush(): void {
    const bytes = Buffer.from(this.#buffered);
    for (let done = 0; done < bytes.length;) done += writeSync(this.#file, bytes, done);
    this.#buffered = "";
  }
}

/** All events of a file in the order of their time. Throws with the line's number when a line is no event. */
export function readRawLog(path: string): readonly RawEvent[] {
  const lines = readFileSync(path, "utf8").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line, i) => parseEvent(line, `${path}:${i + 1}`)).toSorted((a, b) => a.at - b.at);
}

/** Nanoseconds of the machine's monotonic clock; exact to 2 ns until the machine has been up for 208 days. */
export function monotonicNs(): number {
  return Number(process.hrtime.bigint());
}

/**
 * Milliseconds from the first `from` to the first `to` after it, one value for each value of the field `by`, in the
 * order of `from`. An event of `from` without its `to` has no duration: count it with `unanswered`.
 */
export function durationsMs(events: readonly RawEvent[], pair: EventPair): readonly number[] {
  return pairsOf(events, pair).flatMap(({ from, to }) => (to === undefined ? [] : [(to - from) / 1e6]));
}

/** The values of the field `by` whose `from` was followed by no `to`. */
export function unanswered(events: readonly RawEvent[], pair: EventPair): readonly string[] {
  return pairsOf(events, pair).flatMap(({ key, to }) => (to === undefined ? [key] : []));
}

export type EventPair = { readonly from: RawEventKind; readonly to: RawEventKind; readonly by: string };

const bufferedCharactersMax = 65_536;

function pairsOf(
  events: readonly RawEvent[],
  { from, to, by }: EventPair,
): readonly { readonly key: string; readonly from: number; readonly to: number | undefined }[] {
  const pairs = new Map<string, { key: string; from: number; to: number | undefined }>();
  for (const event of events.toSorted((a, b) => a.at - b.at)) {
    const key = event[by];
    if (key === undefined) continue;
    const pair = pairs.get(String(key));
    if (event.event === from && !pair) {
      pairs.set(String(key), { key: String(key), from: event.at, to: undefined });
    } else if (event.event === to && pair) {
      pair.to ??= event.at;
    }
  }
  return [...pairs.values()];
}

function parseEvent(line: string, place: string): RawEvent {
  try {
    return RawEvent.parse(JSON.parse(line));
  } catch (cause) {
    throw new Error(`${place} is no event of a benchmark`, { cause });
  }
}
