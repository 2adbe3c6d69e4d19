import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { benchNames, loadBench } from "./bench.ts";

/**
 * npm run bench -- NAME [--raw FILE] [FLAG...]: runs test/bench/NAME.ts, prints its table and, as the last line, one
 * JSON object. --raw keeps the events that the figures are computed from. An unknown name ends with 2, a broken promise with 1.
 */
const [name = "", ...rest] = process.argv.slice(2);
const rawAt = rest.indexOf("--raw");
const rawFile = rawAt < 0 ? undefined : rest[rawAt + 1];
const run = await loadBench(name);

if (!run) {
  const known = await benchNames();
  console.error(
    `There is no benchmark "${name}"; there ${known.length === 0 ? "is none yet" : `are ${known.join(", ")}`}.`,
  );
  process.exitCode = 2;
} else if (rawAt >= 0 && rawFile === undefined) {
  console.error("--raw needs the name of the file to write.");
  process.exitCode = 2;
} else {
  const folder = mkdtempSync(join(tmpdir(), "gpumesh-bench-"));
  try {
    const flags = rawAt < 0 ? rest : rest.toSpliced(rawAt, 2);
    const {
      table,
      result,
      failed = false,
    } = await run({ rawFile: rawFile ?? join(folder, "raw.jsonl"), flags });
    console.log(`${table.trimEnd()}\n${JSON.stringify({ bench: name, ...result })}`);
    if (failed) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
