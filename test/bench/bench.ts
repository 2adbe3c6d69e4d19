import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** What `run` of a benchmark gets. */
export type BenchArguments = {
  /** The file for the events; the figures are computed from it alone. */
  readonly rawFile: string;
  /** What stood on the command line beside the name and --raw. */
  readonly flags: readonly string[];
};

/** What `run` of a benchmark returns: a table for people, and the same figures under the keys that scripts read. */
export type BenchResult = {
  readonly table: string;
  readonly result: object;
  /** What was measured also broke a promise: the command ends with 1, after it has printed everything. */
  readonly failed?: boolean;
};

type Run = (args: BenchArguments) => Promise<BenchResult>;

/** The `run` that test/bench/NAME.ts exports; undefined when there is no such benchmark. */
export async function loadBench(
  name: string,
  folder: string = import.meta.dirname,
): Promise<Run | undefined> {
  const file = join(folder, `${name}.ts`);
  if (!/^[a-z0-9-]+$/.test(name) || entryPoints.has(name) || !existsSync(file)) return undefined;
  const module: unknown = await import(file);
  return isBench(module) ? module.run : undefined;
}

/** The names of all benchmarks. */
export async function benchNames(folder: string = import.meta.dirname): Promise<readonly string[]> {
  const names = readdirSync(folder)
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => file.replace(/\.ts$/, ""))
    .toSorted();
  const loaded = await Promise.all(names.map(async (name) => ({ name, run: await loadBench(name, folder) })));
  return loaded.flatMap(({ name, run }) => (run ? [name] : []));
}

/** Runs when it is loaded, so it is never loaded to look what it exports. */
const entryPoints = new Set(["run"]);

function isBench(module: unknown): module is { readonly run: Run } {
  return typeof module === "object" && module !== null && "run" in module && typeof module.run === "function";
}
