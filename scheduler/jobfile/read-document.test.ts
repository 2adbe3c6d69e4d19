import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeFault } from "../model/fault.ts";
import { jobFileBytesMax, jobFileDepthMax } from "./limits.ts";
import type { NormalisedJob } from "./normalised-job.ts";
import { parseJobDocument, parseJobFile } from "./parse-job-file.ts";

describe("the document", () => {
  it.each([
    ["a: b\n c: d: [", /^line 2, column 9: found Flow sequence/m],
    ["nodeCount: 1\nnodeCount: 2", /^nodeCount: found it a second time at line 2, column 1/],
    ["a: {b: 1, b: 2}", /^a\.b: found it a second time at line 1, column 11/],
    ["a: 1\n---\nb: 2", /^job file: found 2 documents/],
    ["a: *missing", /found .*alias/i],
    ["[a]: 1", /^line 1, column 1: found a property name that is not text/],
    ["a: !!binary aGk=", /^line 1, column 4: found Unresolved tag/],
    [`a: ${"[".repeat(jobFileDepthMax + 1)}`, /too deep a nesting/],
    [`a: ${"- ".repeat(jobFileDepthMax + 2)}`, /too deep a nesting/],
    [Array.from({ length: 50 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"), /too deep a nesting/],
    ["x".repeat(jobFileBytesMax + 1), /at most 1048576 bytes/],
    ["é".repeat(jobFileBytesMax / 2 + 1), /at most 1048576 bytes/],
    ["a: [" + "1,".repeat(200_000) + "]", /more than 100000 tokens/],
  ])("is refused with its place: %#", (text, fault) => {
    expect(faultsOf(text).join("\n")).toMatch(fault);
  });

  it("does not blow up by aliases", () => {
    const levels = Array.from({ length: 20 }, (_, n) => `  - &a${n + 1} [${`*a${n},`.repeat(10)}]`);
    const fault = faultsOf(`x:\n  - &a0 lol\n${levels.join("\n")}`).join("\n");
    expect(fault).toMatch(/alias/i);
  });

  it("may use a few aliases", () => {
    const job = jobOf(
      "inputDirectories: [{id: A, path: &p /data}, {id: B, path: *p}]\ncustomToolkitSettings: {commandLine: x}",
    );
    expect(job.inputDirectories).toEqual([
      { id: "A", path: "/data" },
      { id: "B", path: "/data" },
    ]);
  });

  it("may be JSON of any layout", () => {
    const document = {
      name: "a",
      nodeCount: 2,
      customToolkitSettings: { commandLine: "echo \"\t\u{1F600}/\\'" },
    };
    for (const indent of [undefined, 2, "\t"]) {
      expect(jobOf(JSON.stringify(document, null, indent)).customToolkitSettings).toEqual(
        document.customToolkitSettings,
      );
    }
  });

  it("gives a job or faults for any text", () => {
    const yamlText = fc
      .array(
        fc.constantFrom(
          "a: ",
          "- ",
          "[",
          "]",
          "{",
          "}",
          "&x ",
          "*x",
          "\n",
          "  ",
          "? ",
          "!!t ",
          "|",
          ">",
          "'",
          '"',
          "#",
          "%",
          "---\n",
          ",",
          "\t",
          "properties: ",
        ),
        { maxLength: 60 },
      )
      .map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), yamlText), (text) => {
        expect(["job", "faults"]).toContain(parseJobFile(text).kind);
      }),
      { numRuns: 1_000 },
    );
  });

  it("gives a job or faults for any JSON, read or written", () => {
    const names = fc.constantFrom(
      "properties",
      "nodeCount",
      "cluster",
      "secrets",
      "mountVolumes",
      "__proto__",
      "cntkSettings",
      "environmentVariables",
      "inputDirectories",
      "constraints",
      "tensorFlowSettings",
      "id",
      "name",
      "value",
    );
    const known = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(names, tie("value"), { maxKeys: 4 }),
      ),
    })).value;
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), known), (document) => {
        const text = JSON.stringify(document);
        const parsed = parseJobFile(text);
        expect(["job", "faults"]).toContain(parsed.kind);
        if (parsed.kind === "faults") expect(parsed.faults.length).toBeGreaterThan(0);
        expect(parseJobDocument(document).kind).toBe(parsed.kind);
      }),
      { numRuns: 1_000 },
    );
  });
});

function jobOf(text: string): NormalisedJob {
  const parsed = parseJobFile(text);
  if (parsed.kind === "faults") throw new Error(parsed.faults.map(describeFault).join("\n"));
  return parsed.job;
}

function faultsOf(text: string): readonly string[] {
  const parsed = parseJobFile(text);
  return parsed.kind === "job" ? [] : parsed.faults.map(describeFault);
}
