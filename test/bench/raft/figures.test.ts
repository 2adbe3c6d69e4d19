import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { RawLog } from "../raw-log.ts";
import { figuresOf } from "./figures.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gpumesh-figures-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A file with rounds of two seconds each, given by the commands in each. */
function rawOf(rounds: readonly { readonly system: string; readonly commands: readonly number[] }[]): string {
  const path = join(folder, "raw.jsonl");
  const raw = new RawLog(path);
  let at = 0;
  for (const { system, commands } of rounds) {
    commands.forEach((count, nth) => {
      const about = { system, inFlight: 64, round: nth + 1 };
      raw.add("start", about, at);
      at += 2e9;
      const costs = { leaderMs: 100, followersMs: 80, clientMs: 60 };
      raw.add("stop", { ...about, commands: count, p50Ms: 1, p99Ms: 2, ...costs }, at);
    });
  }
  raw.close();
  return path;
}

it("gives each system's median round and the ratio of the two", () => {
  const path = rawOf([
    { system: "gpumesh", commands: [3000, 9000, 2000] },
    { system: "etcd", commands: [2000, 100, 4000] },
  ]);
  const { result, table } = figuresOf(path);
  expect(result).toEqual({ gpumesh64: 1500, etcd64: 1000, ratio64: 1.5 });
  expect(table).toContain("gpumesh 64: 1500, 4500, 1000 per s in each round");
});

it("gives no ratio where only one system was measured", () => {
  expect(figuresOf(rawOf([{ system: "gpumesh", commands: [1000] }])).result).toEqual({ gpumesh64: 500 });
});
