import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { countLines, overlaps, rankLives } from "./rank-scripts.ts";

describe("what ranks write of themselves", () => {
  it("shows attempts that lived at the same time, and only those", () => {
    const life = (attempt: number, from: number, to: number) => ({
      attempt,
      rank: 0,
      from,
      to,
      ended: false,
    });
    expect(overlaps([life(1, 0, 5), life(1, 1, 4), life(2, 6, 9)])).toEqual([]);
    expect(overlaps([life(1, 0, 5), life(2, 5, 9)])).toHaveLength(1);
    expect(overlaps([life(1, 0, 9), life(2, 3, 4)])).toHaveLength(1);
  });

  it("ends a killed rank with its last whole sign of life, and never starts twice", () => {
    const folder = mkdtempSync(join(tmpdir(), "gm-records-"));
    try {
      writeFileSync(join(folder, "1-0"), "1 0 start 10.50\n1 0 alive 10.56\n1 0 al");
      writeFileSync(join(folder, "2-0"), "");
      expect(rankLives(folder)).toEqual([{ attempt: 1, rank: 0, from: 10.5, to: 10.56, ended: false }]);
      writeFileSync(join(folder, "2-0"), "2 0 start 11\n2 0 end 12\n2 0 start 13\n");
      expect(() => rankLives(folder)).toThrow("2-0 was started twice");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("counts lines only when none is missing, doubled or out of order", () => {
    expect(countLines("line 1\nline 2\nlines: 2\n")).toBe(2);
    for (const text of [
      "line 1\nlines: 2\n",
      "line 1\nline 1\nline 2\nlines: 2\n",
      "line 2\nline 1\nlines: 2\n",
      "line 1\n",
    ])
      expect(() => countLines(text)).toThrow("the lines are not");
  });
});
