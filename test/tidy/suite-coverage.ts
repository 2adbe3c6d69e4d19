import { matchesGlob } from "node:path";
import type { TestSuite } from "../suites.ts";
import { isTest, type Complaint, type SourceFile } from "./source-file.ts";

/** Test files that would run in no suite, or in more than one. */
export function suiteComplaints({ path }: SourceFile, suites: readonly TestSuite[]): readonly Complaint[] {
  if (!isTest(path)) return [];
  const names = suites.filter((suite) => holds(suite, path)).map(({ name }) => name);
  if (names.length === 1) return [];
  return [
    {
      path,
      what: names.length === 0 ? "runs in no suite" : `runs in ${names.length} suites (${names.join(", ")})`,
      remedy: "Move it, or mend the globs in test/suites.ts, so that exactly one suite holds it",
    },
  ];
}

function holds({ include, exclude = [] }: TestSuite, path: string): boolean {
  const matches = (glob: string): boolean => matchesGlob(path, glob);
  return include.some(matches) && !exclude.some(matches);
}
