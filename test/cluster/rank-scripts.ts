import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Writes a rank's program that prints `line 1`, `line 2`, ... until the file `finish` exists, then `lines: N`, and
 * exits with `exitCode`.
 */
export function writeLinePrinter(path: string, finish: string, exitCode = 0): void {
  const lines = [
    "i=0",
    `while [ ! -e "${finish}" ]; do i=$((i+1)); echo "line $i"; sleep 0.02; done`,
    'echo "lines: $i"',
    `exit ${exitCode}`,
  ];
  writeFileSync(path, `${lines.join("\n")}\n`);
}

/** How many lines the printer wrote; throws unless they are all there, once and in order. */
export function countLines(text: string): number {
  const count = Number(/^lines: (\d+)\n$/m.exec(text)?.[1]);
  const whole = Array.from({ length: count }, (_, index) => `line ${index + 1}\n`).join("");
  if (text !== `${whole}lines: ${count}\n`) throw new Error(`the lines are not 1 to ${count}: ${text}`);
  return count;
}

/**
 * Writes a rank's program that tells in a file of its own, every 50 ms, that it lives, until the file `finish` exists:
 * `attempt rank start|alive|end clock`, in seconds of the boot clock.
 */
export function writeRecorder(path: string, records: string, finish: string): void {
  mkdirSync(records, { recursive: true });
  const lines = [
    `file="${records}/$GPUMESH_ATTEMPT-$RANK"`,
    'tell() { read -r clock _ </proc/uptime; echo "$GPUMESH_ATTEMPT $RANK $1 $clock" >>"$file"; }',
    "tell start",
    `while [ ! -e "${finish}" ]; do sleep 0.05; tell alive; done`,
    "tell end",
  ];
  writeFileSync(path, `${lines.join("\n")}\n`);
}

/** The life of one rank of one attempt by its own records, in seconds of the boot clock. */
export interface RankLife {
  readonly attempt: number;
  readonly rank: number;
  readonly from: number;
  /** Its end; for a rank that was killed, its last sign of life. */
  readonly to: number;
  readonly ended: boolean;
}

/** The lives of all ranks that have begun. Throws when one attempt's rank was started twice. */
export function rankLives(records: string): readonly RankLife[] {
  return readdirSync(records)
    .toSorted()
    .flatMap((name) => {
      // What is not a whole line yet is not there yet.
      const lines = readFileSync(join(records, name), "utf8").split("\n").slice(0, -1);
      const entries = lines.map((line) => line.split(" "));
      if (entries.filter(([, , what]) => what === "start").length > 1)
        throw new Error(`${name} was started twice`);
      const [attempt, rank, , from] = entries[0] ?? [];
      const [, , last, to] = entries.at(-1) ?? [];
      if (attempt === undefined) return [];
      return [
        {
          attempt: Number(attempt),
          rank: Number(rank),
          from: Number(from),
          to: Number(to),
          ended: last === "end",
        },
      ];
    });
}

/** Pairs of ranks of different attempts that lived at the same time. */
export function overlaps(lives: readonly RankLife[]): readonly (readonly [RankLife, RankLife])[] {
  return lives.flatMap((one) =>
    lives
      .filter((other) => other.attempt > one.attempt && other.from <= one.to && one.from <= other.to)
      .map((other) => [one, other] as const),
  );
}
