import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MUTANTS, NOT_PLANTED } from "./mutants.ts";
import type { Mutant } from "./mutants.ts";

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

const results: { bug: string; seeds: number | null; invariants: readonly string[] }[] = [];
for (const mutant of chosen) {
  const { seeds, invariants } = await hunt(mutant);
  results.push({ bug: mutant.bug, seeds, invariants });
  if (options.json) continue;
  const caught = seeds === null ? `NOT in ${limit}` : String(seeds);
  console.log(`${mutant.bug.padEnd(4)} ${caught.padStart(10)}  ${mutant.what}  [${invariants.join("; ")}]`);
}
if (!options.json && only === undefined) {
  for (const [bug, reason] of Object.entries(NOT_PLANTED))
    console.log(`${bug.padEnd(4)} not planted  ${reason}`);
}
const survivors = results.filter(({ seeds }) => seeds === null).map(({ bug }) => bug);
console.log(JSON.stringify({ mutants: results.length, survivors, results }));
process.exitCode = survivors.length === 0 ? 0 : 1;

/** The median number of seeds until it is caught, null for none, and what was found broken. */
async function hunt(mutant: Mutant): Promise<{ seeds: number | null; invariants: readonly string[] }> {
  const copy = mkdtempSync(join(tmpdir(), "gpumesh-mutant-"));
  try {
    for (const part of ["daemon", "scheduler", "proto", "test", "package.json"]) {
      cpSync(join(root, part), join(copy, part), { recursive: true });
    }
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    for (const { file, find, put } of mutant.edits) plant(join(copy, file), find, put);
    const hunts = await Promise.all(STARTS.map((from) => huntFrom(copy, from)));
    const counts = hunts.map(({ seeds }) => seeds ?? Infinity).toSorted((a, b) => a - b);
    const median = counts[Math.floor(counts.length / 2)] ?? Infinity;
    const invariants = [...new Set(hunts.flatMap(({ invariant }) => invariant ?? []))];
    return { seeds: median === Infinity ? null : median, invariants };
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
