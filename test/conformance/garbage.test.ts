import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runScript } from "./run-scripts.ts";

const SCRIPTS = fileURLToPath(new URL("../../../shared/data/etcd-raft", import.meta.url));

describe("the harness on garbage", () => {
  const given = readdirSync(SCRIPTS, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".txt"))
    .map((path) => readFileSync(join(SCRIPTS, path), "utf8").split("\n"));
  const isReport = ({ stanzas, difference }: ReturnType<typeof runScript>): boolean => {
    return stanzas >= 0 && (difference === null || difference.length > 0);
  };

  it("reports on scripts with lines lost, doubled and moved", () => {
    const edit = fc.record({ at: fc.nat(), count: fc.nat(3), to: fc.nat() });
    fc.assert(
      fc.property(
        fc.constantFrom(...given),
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        (lines, edits) => {
          const edited = [...lines];
          for (const { at, count, to } of edits) {
            const taken = edited.slice(at % edited.length, (at % edited.length) + 2);
            edited.splice(at % edited.length, count);
            edited.splice(to % (edited.length + 1), 0, ...taken);
          }
          return isReport(runScript(edited.join("\n")));
        },
      ),
      { numRuns: 150 },
    );
  });

  it("fails a given script of which one byte of output was changed", () => {
    const outputs = given.map((lines) => {
      const starts = lines.flatMap((line, at) => (line === "----" ? [at + 1] : []));
      return { lines, starts };
    });
    fc.assert(
      fc.property(fc.constantFrom(...outputs), fc.nat(), fc.nat(), ({ lines, starts }, which, column) => {
        const at = starts[which % starts.length] ?? 0;
        const line = lines[at] ?? "";
        const changed = column % (line.length + 1);
        const edited = lines.with(at, `${line.slice(0, changed)}~${line.slice(changed + 1)}`);
        return runScript(edited.join("\n")).difference !== null;
      }),
      { numRuns: 100 },
    );
  });

  it("reports on any text", () => {
    const words =
      "campaign stabilize propose deliver-msgs add-nodes vote simple 1 2 = ( ) , ---- \\ # subtest end drop=".split(
        " ",
      );
    const text = fc.array(fc.oneof(fc.constantFrom(...words, "\n", " "), fc.string()), { maxLength: 60 });
    fc.assert(
      fc.property(text, (parts) => isReport(runScript(parts.join("")))),
      { numRuns: 300 },
    );
  });

  const run = (
    folder: string,
  ): { readonly status: number | null; readonly lastLine: unknown; readonly all: string } => {
    const program = fileURLToPath(new URL("raft.ts", import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, folder], { encoding: "utf8" });
    const lastLine: unknown = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
    return { status, lastLine, all: stdout + stderr };
  };

  it("ends with the summary and exit code 1, be there a faulty file, an unreadable one, or no folder", () => {
    const folder = mkdtempSync(join(tmpdir(), "conformance-"));
    try {
      mkdirSync(join(folder, "deep", "folder.txt"), { recursive: true });
      writeFileSync(join(folder, "deep", "good.txt"), "vote cfg=(1) votes=(y)\n----\nVoteWon\n");
      writeFileSync(join(folder, "faulty.txt"), "vote cfg=(1\n----\nVoteWon\n");
      writeFileSync(join(folder, "other.md"), "no script");
      symlinkSync(join(folder, "nowhere"), join(folder, "unreadable.txt"));
      const result = run(folder);
      expect(result.status).toBe(1);
      expect(result.lastLine).toEqual({ files: 3, stanzas: 1, passed: 1, failed: 2 });
      expect(result.all).toContain("faulty.txt: line 1: cannot parse directive");
      expect(result.all).toContain("unreadable.txt: cannot be read: ENOENT");
      const missing = run(join(folder, "nowhere"));
      expect(missing.status).toBe(1);
      expect(missing.lastLine).toEqual({ files: 0, stanzas: 0, passed: 0, failed: 0 });
      expect(missing.all).toContain("cannot read");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
