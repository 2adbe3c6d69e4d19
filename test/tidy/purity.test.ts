import { describe, expect, it } from "vitest";
import { purityComplaints } from "./purity.ts";

describe("purityComplaints", () => {
  it.each([
    ["node:fs", `import { readFileSync } from "node:fs";`, "imports node:fs"],
    ["a built-in without its prefix", `import { join } from "path";`, "imports path"],
    ["an unknown package", `import pino from "pino";`, "imports the package pino"],
    ["new Date", `export const now = new Date();`, "uses Date"],
    ["Date.now", `export const now = Date.now();`, "uses Date"],
    ["Date as a type", `export type Start = { readonly at: Date };`, "uses Date"],
    ["Math.random", `export const x = Math.random();`, "uses Math.random"],
    ["a timer", `setTimeout(() => undefined, 1);`, "uses setTimeout"],
    ["a microtask", `queueMicrotask(() => undefined);`, "uses queueMicrotask"],
    ["process", `export const x = process.env["X"];`, "uses process"],
    ["a global behind globalThis", `export const x = globalThis.Date;`, "uses globalThis"],
    ["crypto", `export const id = crypto.randomUUID();`, "uses crypto"],
    ["a shorthand property", `export const x = { performance };`, "uses performance"],
    ["a computed member", `export const x = (a: object[]) => a[Date];`, "uses Date"],
    ["an async function", `export async function f() {}`, "waits"],
    ["an async arrow", `export const f = async () => 1;`, "waits"],
    ["await", `export const x = await y;`, "waits"],
    ["for await", `export {}; for await (const x of y) x;`, "waits"],
    ["a promise", `export const x = Promise.resolve(1);`, "uses Promise"],
    ["console", `console.log("x");`, "uses console"],
    ["an order of the machine's language", `export const x = "a".localeCompare("b");`, "uses localeCompare"],
  ])("forbids %s", (_, text, what) => {
    expect(whatIsWrong("scheduler/queue/order.ts", text)).toEqual([expect.stringContaining(what)]);
  });

  it.each([
    ["a property called like a global", `export const x = { process: 1 }.process;`],
    ["a field called like a global", `export type X = { readonly Date: string };`],
    ["Math without randomness", `export const x = Math.floor(1.5);`],
    ["a package known to be pure", `import { parse } from "yaml"; export const x = parse("a: 1");`],
    ["a word in a string or comment", `// Date\nexport const x = "Math.random()";`],
  ])("lets %s pass", (_, text) => {
    expect(whatIsWrong("scheduler/jobfile/native.ts", text)).toEqual([]);
  });

  it.each(["daemon/raft/core/raft.ts", "daemon/hardware/nvidia-smi-parser/report.ts", "scheduler/cycle.ts"])(
    "binds %s",
    (path) => {
      expect(whatIsWrong(path, `export const now = Date.now();`)).toHaveLength(1);
    },
  );

  it.each([
    "daemon/raft/driver.ts",
    "scheduler/queue/order.test.ts",
    "scheduler/state/history.fixture.ts",
    "cli/main.ts",
  ])("does not bind %s", (path) => {
    expect(whatIsWrong(path, `import "node:fs"; export const now = Date.now();`)).toEqual([]);
  });

  it("gives line and remedy", () => {
    expect(purityComplaints({ path: "scheduler/cycle.ts", text: "\nsetTimeout(f, 1);" })).toEqual([
      {
        path: "scheduler/cycle.ts",
        line: 2,
        what: "pure code uses setTimeout",
        remedy: expect.stringContaining("take the value as an argument"),
      },
    ]);
  });
});

function whatIsWrong(path: string, text: string): readonly string[] {
  return purityComplaints({ path, text }).map(({ what }) => what);
}
