import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { benchNames, loadBench } from "./bench.ts";

describe("benchmarks", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "gpumesh-bench-"));
    const bench = `export const run = async ({ flags }) => ({ table: flags.join(), result: { p50Ms: 1 } });\n`;
    writeFileSync(join(folder, "latency.ts"), bench);
    writeFileSync(join(folder, "raw-log.ts"), `export const add = 1;\n`);
    writeFileSync(join(folder, "latency.test.ts"), `throw new Error("a test was loaded");\n`);
    writeFileSync(join(folder, "run.ts"), `throw new Error("the entry point was loaded");\n`);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it("are the modules that export run", async () => {
    expect(await benchNames(folder)).toEqual(["latency"]);
  });

  it("are loaded by name", async () => {
    const run = await loadBench("latency", folder);
    expect(await run?.({ rawFile: "unused", flags: ["--rounds", "3"] })).toEqual({
      table: "--rounds,3",
      result: { p50Ms: 1 },
    });
  });

  it.each(["raw-log", "run", "none", "../bench/latency", ""])("do not include %j", async (name) => {
    expect(await loadBench(name, folder)).toBeUndefined();
  });
});
