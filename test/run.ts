import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { repositoryRoot, whyNot } from "./machine.ts";
import { runSuite } from "./runner/run-suite.ts";
import { suites, type Suite, type TestSuite } from "./suites.ts";

/**
 * Runs the suites that this machine can run, and names the others with the reason. The last line is
 * `N passed, N failed`; the exit code is 1 when anything failed.
 *
 *   --only A,B      only these suites
 *   --without A,B   all but these
 *   --must-run      a suite that cannot run here is a failure
 *   --tally FILE    add the counts that FILE holds, and write the sums back, so that two runs count as one
 */
const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    without: { type: "string", default: "" },
    "must-run": { type: "boolean", default: false },
    tally: { type: "string" },
  },
});

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());

const tally = readTally(options.tally);
const notes: string[] = [];
for (const suite of chosenSuites()) {
  if (stop.signal.aborted) break;
  const reasons = whyNotRun(suite);
  if (reasons.length > 0) {
    notes.push(`${suite.name} could not run: ${reasons.join("; ")}`);
    if (options["must-run"]) tally.failed += 1;
    continue;
  }
  console.log(`\nSuite ${suite.name}`);
  const outcome = await runSuite(suite, stop.signal);
  tally.passed += outcome.passed;
  tally.failed += outcome.failed;
  for (const fault of outcome.faults) notes.push(`${suite.name} failed: ${fault}`);
  for (const test of outcome.skipped) notes.push(`${suite.name} skipped: ${test}`);
}
if (stop.signal.aborted) {
  tally.failed += 1;
  notes.push("stopped by a signal before the end");
}

console.log(`\n${notes.map((note) => `${note}\n`).join("")}${tally.passed} passed, ${tally.failed} failed`);
if (options.tally !== undefined) writeFileSync(options.tally, `${tally.passed} ${tally.failed}\n`);
process.exitCode = tally.failed === 0 ? 0 : 1;

function chosenSuites(): readonly Suite[] {
  const only = options.only?.split(",") ?? suites.map(({ name }) => name);
  const without = options.without.split(",").filter((name) => name !== "");
  const unknown = [...only, ...without].filter((name) => !suites.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    console.error(
      `There is no suite ${unknown.join(", ")}; there are ${suites.map(({ name }) => name).join(", ")}.`,
    );
    process.exit(2);
  }
  return suites.filter(({ name }) => only.includes(name) && !without.includes(name));
}

function whyNotRun(suite: Suite): readonly string[] {
  const reasons = suite.needs.map(whyNot).filter((reason) => reason !== undefined);
  return suite.kind === "tests" && !holdsTests(suite) ? [...reasons, "it holds no test yet"] : reasons;
}

function holdsTests({ include, exclude = [] }: TestSuite): boolean {
  const files = globSync(include, { cwd: repositoryRoot, exclude: ["**/node_modules", ...exclude] });
  return files.length > 0;
}

function readTally(file: string | undefined): { passed: number; failed: number } {
  const [passed = 0, failed = 0] =
    file !== undefined && existsSync(file) ? readFileSync(file, "utf8").trim().split(" ").map(Number) : [];
  return { passed, failed };
}
