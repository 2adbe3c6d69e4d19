import { describe, expect, it } from "vitest";
import { outcomeOfProgram, outcomeOfTests } from "./outcome.ts";

const done = { code: 0, timedOut: false };
const ended = { code: 1, timedOut: false };
const stopped = { code: null, timedOut: true };

describe("outcomeOfTests", () => {
  it("counts passed, failed and skipped tests", () => {
    const report = reportOf([
      { status: "failed", tests: { "a works": "passed", "b works": "failed", c: "skipped" } },
    ]);
    expect(outcomeOfTests(report, ended)).toEqual({ passed: 1, failed: 1, skipped: ["c"], faults: [] });
  });

  it("counts a file that could not be loaded as a failure", () => {
    const report = reportOf([{ status: "failed", tests: {} }]);
    expect(outcomeOfTests(report, ended)).toMatchObject({
      failed: 1,
      faults: ["file-0.test.ts could not be run"],
    });
  });

  it("counts an error outside every test as a failure", () => {
    const report = reportOf([{ status: "passed", tests: { a: "passed" } }]);
    expect(outcomeOfTests(report, ended)).toMatchObject({ passed: 1, failed: 1 });
    expect(outcomeOfTests(report, done)).toMatchObject({ passed: 1, failed: 0 });
  });

  it("counts a suite without a report, or one that was stopped, as one failure", () => {
    expect(outcomeOfTests(undefined, ended)).toMatchObject({ passed: 0, failed: 1 });
    expect(outcomeOfTests(undefined, stopped)).toMatchObject({
      failed: 1,
      faults: ["took longer than its limit and was stopped"],
    });
  });
});

describe("outcomeOfProgram", () => {
  const good = '{"files":2,"passed":12,"failed":0}';

  it("takes the counts of the last line", () => {
    expect(outcomeOfProgram(good, done)).toMatchObject({ passed: 12, failed: 0 });
    expect(outcomeOfProgram('{"passed":12,"failed":3}', ended)).toMatchObject({ passed: 12, failed: 3 });
  });

  it("counts a program without such a line as one", () => {
    expect(outcomeOfProgram('{"fine":true}', done)).toMatchObject({ passed: 1, failed: 0 });
    expect(outcomeOfProgram("fine", done)).toMatchObject({ passed: 1, failed: 0 });
    expect(outcomeOfProgram("not fine", ended)).toMatchObject({
      passed: 0,
      failed: 1,
      faults: ["ended with 1"],
    });
  });

  it("never believes good counts of a program that failed or was stopped", () => {
    expect(outcomeOfProgram(good, ended)).toMatchObject({ passed: 12, failed: 1 });
    expect(outcomeOfProgram(good, stopped)).toMatchObject({ passed: 12, failed: 1 });
  });
});

function reportOf(
  files: readonly { readonly status: string; readonly tests: Readonly<Record<string, string>> }[],
): string {
  const testResults = files.map(({ status, tests }, i) => ({
    name: `file-${i}.test.ts`,
    status,
    assertionResults: Object.entries(tests).map(([fullName, result]) => ({ fullName, status: result })),
  }));
  const count = (wanted: string): number =>
    testResults.flatMap((file) => file.assertionResults).filter(({ status }) => status === wanted).length;
  return JSON.stringify({ numPassedTests: count("passed"), numFailedTests: count("failed"), testResults });
}
