import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { testSuites } from "./suites.ts";
import { generateAgain, readGenerated, staleComplaints } from "./tidy/generated.ts";
import { importComplaints } from "./tidy/imports.ts";
import { markComplaints } from "./tidy/marks.ts";
import { pinComplaints, registryComplaints, resolvedComplaints } from "./tidy/packages.ts";
import { purityComplaints } from "./tidy/purity.ts";
import { defaultExportComplaints, lengthComplaints, nameComplaints } from "./tidy/shape.ts";
import {
  formatComplaint,
  isModule,
  readProject,
  type Complaint,
  type SourceFile,
} from "./tidy/source-file.ts";
import { suiteComplaints } from "./tidy/suite-coverage.ts";

const root = join(import.meta.dirname, "..");
const files = readProject(root);
const modules = files.filter(({ path }) => isModule(path));

describe("the project", () => {
  it("keeps every import within the rooms that may know each other", () => {
    expectNone(modules.flatMap((file) => importComplaints(file)));
  });

  it("keeps the pure rooms pure", () => {
    expectNone(modules.flatMap((file) => purityComplaints(file)));
  });

  it("has files of a readable length", () => {
    expectNone(files.flatMap(lengthComplaints));
  });

  it("names files and folders after their subject, in kebab-case", () => {
    expectNone(files.flatMap(nameComplaints));
  });

  it("exports by name", () => {
    expectNone(modules.flatMap(defaultExportComplaints));
  });

  it("has no leftover notes, switched-off checks, banners or paths of one machine", () => {
    expectNone(files.flatMap(markComplaints));
  });

  it("names no package registry", () => {
    const namesRegistry = (file: SourceFile): readonly Complaint[] =>
      registryComplaints(file, process.env["npm_config_registry"]);
    expectNone(files.flatMap(namesRegistry));
  });

  it("pins every dependency", () => {
    const packageLock = read("package-lock.json");
    expectNone([...pinComplaints(read("package.json"), packageLock), ...resolvedComplaints(packageLock)]);
  });

  it("has fresh generated code", () => {
    expectNone(staleComplaints(readGenerated(root), generateAgain(root)));
  });

  it("runs every test file in exactly one suite", () => {
    expectNone(files.flatMap((file) => suiteComplaints(file, testSuites)));
  });
});

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

function expectNone(complaints: readonly Complaint[]): void {
  expect(complaints.map(formatComplaint)).toEqual([]);
}
