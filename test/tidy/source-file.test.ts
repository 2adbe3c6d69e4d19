import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formatComplaint, ignoreRules, lineAt, readProject } from "./source-file.ts";

describe("readProject", () => {
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "gpumesh-tidy-"));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  it("reads all files but git's own and the ignored ones, in order of their paths", () => {
    write(".gitignore", "node_modules/\n*.tmp\n/coverage/\n");
    write(".git/config", "");
    write("node_modules/a/index.js", "");
    write("cli/node_modules/a/index.js", "");
    write("coverage/index.html", "");
    write("docs/coverage/numbers.md", "kept");
    write("cli/x.tmp", "");
    write("cli/main.ts", "kept");
    write(".ci/run", "kept");
    const files = readProject(root);
    expect(files.map(({ path }) => path)).toEqual([
      ".ci/run",
      ".gitignore",
      "cli/main.ts",
      "docs/coverage/numbers.md",
    ]);
    expect(files.at(2)?.text).toBe("kept");
  });

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
});

describe("ignoreRules", () => {
  it("refuses what it would misread", () => {
    expect(() => ignoreRules("!kept.tmp")).toThrow("negations are not read here");
  });
});

describe("formatComplaint", () => {
  it("puts the place first and the remedy last", () => {
    const complaint = { path: "a.ts", what: "is wrong", remedy: "Mend it" };
    expect(formatComplaint(complaint)).toBe("a.ts: is wrong. Mend it");
    expect(formatComplaint({ ...complaint, line: 3 })).toBe("a.ts:3: is wrong. Mend it");
  });
});

describe("lineAt", () => {
  it("counts from 1", () => {
    expect([lineAt("a\nb", 0), lineAt("a\nb", 1), lineAt("a\nb", 2)]).toEqual([1, 1, 2]);
  });
});
