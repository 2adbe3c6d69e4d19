import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJobFile } from "../../scheduler/jobfile/parse-job-file.ts";
import { jobDocument, type RunFlags } from "./run.ts";

describe("the job of a command line", () => {
  it("is a native job file with just what was asked for", () => {
    expect(jobDocument({}, ["hostname"])).toEqual({
      name: "hostname",
      environmentVariables: [],
      customToolkitSettings: { commandLine: "hostname" },
    });
    const flags: RunFlags = {
      nodes: "4",
      gpusPerNode: "8",
      slotsPerNode: "2",
      priority: "high",
      mpi: true,
      processes: "32",
      name: "train",
      env: ["LR=0.1", "EMPTY=", "EQUATION=a=b"],
    };
    const document = jobDocument(flags, ["/opt/train.py", "--epochs", "3"]);
    expect(document).toEqual({
      name: "train",
      nodeCount: 4,
      gpusPerNode: 8,
      slotsPerNode: 2,
      schedulingPriority: "high",
      environmentVariables: [
        { name: "LR", value: "0.1" },
        { name: "EMPTY", value: "" },
        { name: "EQUATION", value: "a=b" },
      ],
      customMpiSettings: { commandLine: "/opt/train.py --epochs 3", processCount: 32 },
    });
    expect(parseJobFile(JSON.stringify(document)).kind).toBe("job");
  });

  it("is named after the program", () => {
    expect(jobDocument({}, ["/usr/bin/python3.11", "x.py"])["name"]).toBe("python3-11");
    expect(jobDocument({}, ["sleep 1; exit 3"])["name"]).toBe("sleep");
    expect(jobDocument({}, ["("])["name"]).toBe("job");
  });

  it("takes a single word as a line for the shell", () => {
    const { customToolkitSettings } = jobDocument({}, ["echo hi; exit 3"]);
    expect(customToolkitSettings).toEqual({ commandLine: "echo hi; exit 3" });
  });

  it("keeps several words apart, whatever is in them", () => {
    const word = fc.string({ unit: fc.constantFrom(...Array.from("ab '\"$`\\!*~#;&|<>(){}[]\n=-")) });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 8 }), (words) => {
        const { customToolkitSettings } = jobDocument({}, ["printf", "%s\\0", ...words]);
        const { commandLine } = customToolkitSettings as { readonly commandLine: string };
        const printed = execFileSync("/bin/sh", ["-c", commandLine]).toString();
        expect(printed).toBe(words.map((one) => `${one}\0`).join(""));
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    [{ processes: "4" }, "--processes is for --mpi"],
    [{ nodes: "two" }, '--nodes "two": give a whole number'],
    [{ gpusPerNode: "-1" }, "--gpus-per-node"],
    [{ env: ["NAME"] }, '--env "NAME": give NAME=VALUE'],
    [{ env: ["=x"] }, "--env"],
  ])("refuses %j", (flags, message) => {
    expect(() => jobDocument(flags, ["true"])).toThrow(message);
  });
});
