import { describe, expect, it } from "vitest";
import { defaultExportComplaints, lengthComplaints, nameComplaints } from "./shape.ts";

describe("lengthComplaints", () => {
  it("allows 400 lines and no more", () => {
    expect(lengthComplaints({ path: "daemon/x.ts", text: "x\n".repeat(400) })).toEqual([]);
    const [complaint] = lengthComplaints({ path: "daemon/x.ts", text: "x\n".repeat(401) });
    expect(complaint?.what).toBe("has 401 lines, more than 400");
    expect(complaint?.remedy).toContain("Split it");
  });

  it.each(["proto/gen/api.ts", "package-lock.json", "docs/fencing.md"])("does not measure %s", (path) => {
    expect(lengthComplaints({ path, text: "x\n".repeat(900) })).toEqual([]);
  });
});

describe("nameComplaints", () => {
  it.each([
    ["daemon/raft/raftLog.ts", "not kebab-case"],
    ["daemon/raft/raft_log.test.ts", "not kebab-case"],
    ["daemon/Raft/log.ts", "not kebab-case"],
    ["daemon/raft/utils.ts", "names a kind of code"],
    ["daemon/helpers/retry.ts", "names a kind of code"],
    ["daemon/raft/types.ts", "names a kind of code"],
    ["scheduler/common/ids.ts", "names a kind of code"],
    ["daemon/services/api.ts", "names a kind of code"],
    ["daemon/managers/lease.ts", "names a kind of code"],
  ])("forbids %s", (path, what) => {
    expect(nameComplaints({ path, text: "" })).toEqual([
      expect.objectContaining({ path, what: expect.stringContaining(what) }),
    ]);
  });

  it.each([
    "daemon/raft/raft-log.test.ts",
    "examples/mpi/all_reduce.py",
    "proto/gpumesh/v1/api.proto",
    ".ci/run.sh",
    "proto/gen/gpumesh/v1/Job.ts",
  ])("lets %s pass", (path) => {
    expect(nameComplaints({ path, text: "" })).toEqual([]);
  });
});

describe("defaultExportComplaints", () => {
  it.each([
    ["a function", "export default function run() {}"],
    ["a value", "export default 1;"],
    ["a specifier", "const run = 1;\nexport { run as default };"],
    ["a re-export", `export { run as default } from "./run.ts";`],
  ])("forbids %s", (_, text) => {
    expect(defaultExportComplaints({ path: "daemon/main.ts", text })).toEqual([
      expect.objectContaining({ what: "a default export", remedy: "Export it by its name" }),
    ]);
  });

  it("lets exports by name pass, and tools' configuration files", () => {
    expect(defaultExportComplaints({ path: "daemon/main.ts", text: "export const run = 1;" })).toEqual([]);
    expect(defaultExportComplaints({ path: "vitest.config.ts", text: "export default {};" })).toEqual([]);
  });
});
