import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseUptimeMs } from "./boot-clock.ts";
import { makeDeadlineFolder, readDeadline, writeDeadline } from "./deadline-file.ts";

describe("the deadline file", () => {
  let parent: string;

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), "deadline-"));
  });

  afterEach(() => {
    rmSync(parent, { recursive: true });
  });

  it("keeps hundredths of a second, rounded towards the past", () => {
    const path = join(parent, "12.1");
    expect(readDeadline(path)).toBeUndefined();
    writeDeadline(path, 1_234_567.8);
    expect(readDeadline(path)).toBe(1_234_560);
  });

  it.each(["", "12", "12.5\n", "-1\n", "soon\n"])("does not read %j as a deadline", (text) => {
    const path = join(parent, "12.1");
    writeFileSync(path, text);
    expect(readDeadline(path)).toBeUndefined();
  });

  it("stands in a folder of this user alone", () => {
    const path = makeDeadlineFolder(parent, "mine");
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(makeDeadlineFolder(parent, "mine")).toBe(path);
  });

  it("is not put where others could write it", () => {
    mkdirSync(join(parent, "open"));
    chmodSync(join(parent, "open"), 0o777);
    symlinkSync(join(parent, "open"), join(parent, "linked"));
    for (const name of ["open", "linked"]) {
      expect(() => makeDeadlineFolder(parent, name)).toThrow(
        expect.objectContaining({ code: "unsafe-folder" }),
      );
    }
  });
});

describe("parseUptimeMs", () => {
  it("reads hundredths", () => {
    expect(parseUptimeMs("1227.64 2378.33\n")).toBe(1_227_640);
    expect(parseUptimeMs("0.05 0.01\n")).toBe(50);
  });

  it("refuses what is no time", () => {
    expect(() => parseUptimeMs("")).toThrow("not a time");
  });
});
