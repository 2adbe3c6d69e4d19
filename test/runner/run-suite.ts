import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { repositoryRoot } from "../machine.ts";
import type { Program, Suite, TestSuite } from "../suites.ts";
import { endLeftBehind } from "./left-behind.ts";
import { outcomeOfProgram, outcomeOfTests, type Exit, type Outcome } from "./outcome.ts";

/**
 * Runs one suite to its end or its limit, with its output on ours, and ends whatever it leaves behind, which counts as
 * one failure. Aborting `signal` stops the suite.
 */
export async function runSuite(suite: Suite, signal: AbortSignal): Promise<Outcome> {
  const mark = randomUUID();
  const outcome =
    suite.kind === "tests" ? await runTests(suite, mark, signal) : await runProgram(suite, mark, signal);
  const left = await endLeftBehind(`${markName}=${mark}`);
  if (left.length === 0) return outcome;
  const names = left.map(({ pid, command }) => `${pid} (${command})`).join(", ");
  return {
    ...outcome,
    failed: outcome.failed + 1,
    faults: [...outcome.faults, `left processes behind, now ended: ${names}`],
  };
}

const markName = "GPUMESH_TEST_SUITE";
const lastLineCharactersMax = 4_096;

/** How long output may still arrive after the end, for a process that was left behind can hold the pipe open. */
const lastOutputMs = 1_000;

async function runTests(suite: TestSuite, mark: string, signal: AbortSignal): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "gpumesh-test-"));
  try {
    const report = join(folder, "report.json");
    const vitest = join(repositoryRoot, "node_modules/vitest/vitest.mjs");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const args = [vitest, "run", "--project", suite.name, ...reporters];
    const exit = await runToEnd(process.execPath, args, suite, mark, signal);
    return outcomeOfTests(existsSync(report) ? readFileSync(report, "utf8") : undefined, exit);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runProgram(program: Program, mark: string, signal: AbortSignal): Promise<Outcome> {
  let tail = "";
  const args = ["run", "--silent", program.script, "--", ...program.args];
  const exit = await runToEnd("npm", args, program, mark, signal, (text) => {
    tail = (tail + text).slice(-lastLineCharactersMax);
  });
  return outcomeOfProgram(tail.trimEnd().split("\n").at(-1) ?? "", exit);
}

/** Spawns a process group of its own, so that the limit ends all of it. `onOutput` makes standard output a copy. */
async function runToEnd(
  command: string,
  args: readonly string[],
  { limitMinutes }: Suite,
  mark: string,
  signal: AbortSignal,
  onOutput?: (text: string) => void,
): Promise<Exit> {
  const child = spawn(command, args, {
    cwd: repositoryRoot,
    detached: true,
    env: { ...process.env, [markName]: mark },
    stdio: ["ignore", onOutput ? "pipe" : "inherit", "inherit"],
  });
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    process.stdout.write(text);
    onOutput?.(text);
  });
  const exited = once(child, "exit");
  const closed = child.stdout ? once(child.stdout, "close") : Promise.resolve();
  const end = (): void => {
    const isRunning = child.exitCode === null && child.signalCode === null;
    if (child.pid !== undefined && isRunning) process.kill(-child.pid, "SIGKILL");
  };
  const limit = AbortSignal.timeout(limitMinutes * 60_000);
  const stop = AbortSignal.any([signal, limit]);
  stop.addEventListener("abort", end);
  if (stop.aborted) end();
  await exited;
  stop.removeEventListener("abort", end);
  await Promise.race([closed, delay(lastOutputMs, undefined, { ref: false })]);
  return { code: child.exitCode, timedOut: limit.aborted };
}
