import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MUTANTS, NOT_PLANTED } from "./mutants.ts";
import type { Mutant } from "./mutant.ts";

/**
 * Plants each bug of the table in a copy of the project and lets the simulator look for it, from three first seeds.
 *
 *   --only A,B   only these bugs: `3`, or `1` for 1a, 1b and 1c
 *   --limit N    seeds after which a bug counts as not caught (400)
 *   --json       only the last line: the result as a JSON object
 *
 * Exits with 1 when a bug is not caught.
 */
const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    limit: { type: "string", default: "400" },
    json: { type: "boolean", default: false },
  },
});
const limit = Number(options.limit);
const only = options.only?.split(",");
const chosen = MUTANTS.filter(
  ({ bug }) => only?.some((name) => [bug, bug.replace(/\D/, "")].includes(name)) ?? true,
);
const STARTS = [1, 100_001, 200_001];
const root = join(import.meta.dirname, "../../..");

interface Result {
  readonly bug: string;
  readonly what: string;
  /** For each first seed, how many it took; null for more than the limit. */
  readonly seeds: readonly (number | null)[];
  /** Null when most hunts found nothing: the bug survives. */
  readonly median: number | null;
  readonly invariants: readonly string[];
}

const mutants: Result[] = [];
for (const mutant of chosen) {
  const result = await hunt(mutant);
  mutants.push(result);
  const { bug, what, seeds, median, invariants } = result;
  if (options.json) continue;
  const caught = median === null ? `NOT in ${limit}` : String(median);
  const each = seeds.map((count) => count ?? "-").join(" ");
  console.log(`${bug.padEnd(4)} ${caught.padStart(10)}  (${each})  ${what}  [${invariants.join("; ")}]`);
}
if (!options.json && only === undefined) {
  for (const [bug, reason] of Object.entries(NOT_PLANTED))
    console.log(`${bug.padEnd(4)} not planted  ${reason}`);
}
const survived = mutants.filter(({ median }) => median === null).length;
console.log(JSON.stringify({ mutants, caught: mutants.length - survived, survived }));
process.exitCode = survived === 0 ? 0 : 1;

/** Plants the mutant in a copy, and lets the simulator loose on it from each first seed. */
async function hunt({ bug, what, edits }: Mutant): Promise<Result> {
  const copy = mkdtempSync(join(tmpdir(), "gpumesh-mutant-"));
  try {
    for (const part of ["daemon", "scheduler", "proto", "test", "package.json"]) {
      cpSync(join(root, part), join(copy, part), { recursive: true });
    }
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    for (const { file, find, put } of edits) plant(join(copy, file), find, put);
    const hunts = await Promise.all(STARTS.map((from) => huntFrom(copy, from)));
    const seeds = hunts.map((each) => each.seeds);
    const ascending = seeds.map((count) => count ?? Infinity).toSorted((a, b) => a - b);
    const middle = ascending[Math.floor(ascending.length / 2)] ?? Infinity;
    const invariants = [...new Set(hunts.flatMap(({ invariant }) => invariant ?? []))];
    return { bug, what, seeds, median: middle === Infinity ? null : middle, invariants };
  } finally {
    rmSync(copy, { recursive: true });
  }
}

function plant(path: string, find: string, put: string): void {
  const text = readFileSync(path, "utf8");
  const [before, after, ...more] = text.split(find);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`${path} should have this text once: ${find}`);
  }
  writeFileSync(path, before + put + after);
}

function huntFrom(
  copy: string,
  from: number,
): Promise<{ readonly seeds: number | null; readonly invariant: string | null }> {
  const args = [join(copy, "test/sim/mutants/hunt.ts"), String(from), String(limit)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => (text += String(chunk)));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(JSON.parse(text) as { seeds: number | null; invariant: string | null });
      else reject(new Error(`the hunt from seed ${from} ended with ${code}`));
    });
  });
}
