import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CommandExit } from "./executor.ts";
import { PartFolder, signalOf, type CommandFolder } from "./part-folder.ts";

describe("a command's records", () => {
  let stateDir: string;
  let folder: CommandFolder;

  beforeEach(() => {
    stateDir = mkdtempSync(join(tmpdir(), "part-folder-"));
    folder = new PartFolder(stateDir, "12.1").command("task-0");
    folder.create("");
  });

  afterEach(() => {
    rmSync(stateDir, { recursive: true });
  });

  const exit: CommandExit = {
    code: 139,
    signal: "SIGSEGV",
    endedBy: "itself",
    startedAtMs: 12_340,
    endedAtMs: 56_780,
    reason: "cannot enter /a\nb c",
  };

  it("read as they were written", async () => {
    await folder.recordExit(exit);
    expect(folder.exit()).toEqual(exit);
    writeFileSync(join(folder.path, "started"), "boot-1 10 11 20 21 1234\n");
    expect(folder.started()).toEqual({
      guard: { bootId: "boot-1", pid: 10, startTime: 11 },
      command: { bootId: "boot-1", pid: 20, startTime: 21 },
      startedAtMs: 12_340,
    });
  });

  it("have one exit: the first stands", async () => {
    const exits = [exit, { ...exit, code: 0, signal: null }, { ...exit, code: 1, signal: null }];
    const recorded = [];
    for (const each of exits) recorded.push(await folder.recordExit(each));
    expect(recorded).toEqual([exit, exit, exit]);
  });

  it("read as absent while they are being written", () => {
    for (const file of ["shim", "started", "exit"]) writeFileSync(join(folder.path, file), "1 itse");
    expect([folder.shim(), folder.started(), folder.exit()]).toEqual([undefined, undefined, undefined]);
  });

  it("have an exit that is refused when it makes no sense", () => {
    writeFileSync(join(folder.path, "exit"), "nonsense\n");
    expect(() => folder.exit()).toThrow("nonsense");
  });
});

it("names the signal of a shell's exit code", () => {
  expect([137, 143, 130].map(signalOf)).toEqual(["SIGKILL", "SIGTERM", "SIGINT"]);
  expect([0, 1, 126, 127, 128, 255].map(signalOf)).toEqual([null, null, null, null, null, null]);
});
