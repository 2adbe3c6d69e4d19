import { z } from "zod";

/** How a suite ended. `skipped` and `faults` are for people; each fault is one of the `failed`. */
export type Outcome = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly string[];
  readonly faults: readonly string[];
};

/** How the process of a suite ended. */
export type Exit = { readonly code: number | null; readonly timedOut: boolean };

const Report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});

/**
 * Counts the report that vitest's JSON reporter wrote (undefined when it wrote none). A file that could not be loaded,
 * a time-out and an error outside every test are failures too, though vitest counts no test for them.
 */
export function outcomeOfTests(report: string | undefined, { code, timedOut }: Exit): Outcome {
  const faults: string[] = [];
  if (timedOut) faults.push("took longer than its limit and was stopped");
  if (report === undefined) {
    if (!timedOut) faults.push(`vitest ended with ${String(code)} and without a report`);
    return { passed: 0, failed: faults.length, skipped: [], faults };
  }
  const { numPassedTests, numFailedTests, testResults } = Report.parse(JSON.parse(report));
  for (const { name, status, assertionResults } of testResults) {
    const hasFailedTest = assertionResults.some((test) => test.status === "failed");
    if (status === "failed" && !hasFailedTest) faults.push(`${name} could not be run`);
  }
  if (code !== 0 && !timedOut && numFailedTests === 0 && faults.length === 0) {
    faults.push(`vitest ended with ${String(code)}: an error outside every test`);
  }
  const skipped = testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => !ranStatuses.has(status)).map(({ fullName }) => fullName),
  );
  return { passed: numPassedTests, failed: numFailedTests + faults.length, skipped, faults };
}

/** Takes the counts of a program's last line, or counts the program itself as one. */
export function outcomeOfProgram(lastLine: string, { code, timedOut }: Exit): Outcome {
  const counts = readCounts(lastLine);
  const { passed, failed } = counts ?? { passed: 0, failed: 0 };
  if (timedOut) {
    return {
      passed,
      failed: failed + 1,
      skipped: [],
      faults: ["took longer than its limit and was stopped"],
    };
  }
  if (code !== 0 && failed === 0) {
    return { passed, failed: 1, skipped: [], faults: [`ended with ${String(code)}`] };
  }
  return { passed: counts ? passed : 1, failed, skipped: [], faults: [] };
}

const Counts = z.object({ passed: z.number(), failed: z.number() });

function readCounts(line: string): z.infer<typeof Counts> | undefined {
  try {
    return Counts.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

const ranStatuses = new Set(["passed", "failed"]);
