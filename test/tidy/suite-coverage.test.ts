import { describe, expect, it } from "vitest";
import { testSuites } from "../suites.ts";
import { suiteComplaints } from "./suite-coverage.ts";

describe("suiteComplaints", () => {
  it.each([
    "scheduler/cycle.test.ts",
    "daemon/raft/core/raft.test.ts",
    "test/tidy.test.ts",
    "test/tidy/marks.test.ts",
    "test/contract/store.test.ts",
    "test/cluster/failover.test.ts",
    "test/cluster/launch.mpi.test.ts",
    "test/hosts/partition.test.ts",
    "test/peers/slurm.test.ts",
  ])("finds exactly one suite for %s", (path) => {
    expect(suiteComplaints({ path, text: "" }, testSuites)).toEqual([]);
  });

  it("finds a test file that would never run", () => {
    expect(suiteComplaints({ path: "examples/first.test.ts", text: "" }, testSuites)).toEqual([
      {
        path: "examples/first.test.ts",
        what: "runs in no suite",
        remedy: expect.stringContaining("test/suites.ts"),
      },
    ]);
  });

  it("finds a test file that would run twice", () => {
    const [unit] = testSuites;
    if (!unit) throw new Error("there is no suite");
    const twice = [unit, { ...unit, name: "again" }];
    expect(suiteComplaints({ path: "cli/main.test.ts", text: "" }, twice)).toMatchObject([
      { what: "runs in 2 suites (unit, again)" },
    ]);
  });

  it("leaves other files alone", () => {
    expect(suiteComplaints({ path: "examples/first.ts", text: "" }, testSuites)).toEqual([]);
  });
});
