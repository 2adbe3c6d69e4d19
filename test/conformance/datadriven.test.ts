import { describe, expect, it } from "vitest";
import { parseDirective, parseScript } from "./datadriven.ts";

describe("a directive", () => {
  const values = (text: string): unknown => {
    return parseDirective(text).args.map(({ key, values: each }) => [key, ...each]);
  };

  it("is a command with words, values and lists of values", () => {
    expect(parseDirective("  cmd  a   b=c  d=(e,   f) ")).toEqual({
      command: "cmd",
      args: [
        { key: "a", values: [] },
        { key: "b", values: ["c"] },
        { key: "d", values: ["e", "f"] },
      ],
    });
    expect(parseDirective("")).toEqual({ command: "", args: [] });
  });

  it("may have empty values, and parentheses within values", () => {
    expect(values("cmd a= b=() c=(d,)")).toEqual([
      ["a", ""],
      ["b", ""],
      ["c", "d", ""],
    ]);
    expect(values("cmd a=(1, (2,3), (4 * (1 + 2))) b=x,y")).toEqual([
      ["a", "1", "(2,3)", "(4 * (1 + 2))"],
      ["b", "x,y"],
    ]);
    expect(values('propose 1 "f=oo" {a}')).toEqual([["1"], ['"f', 'oo"'], ["{a}"]]);
  });

  it.each(["cmd =a", "cmd a=(b", "cmd a=(b,(c)"])("%j is refused with the column of the fault", (text) => {
    expect(() => parseDirective(text)).toThrow(/^cannot parse directive at column \d+: cmd/);
  });
});

describe("a script", () => {
  const parsed = (...lines: readonly string[]): unknown => {
    return parseScript(lines.join("\n")).map(({ line, text, input, expected }) => [
      line,
      text,
      input,
      expected,
    ]);
  };

  it("holds stanzas between comments and blank lines", () => {
    expect(
      parsed("# one", "  # two", "", "a 1", "----", "ok", "", " \t", "b", "in", "", "put", "----", "x", "y"),
    ).toEqual([
      [4, "a 1", "", "ok\n"],
      [9, "b", "in\n\nput", "x\ny\n"],
    ]);
  });

  it("may continue a directive behind a backslash, and end its lines as Windows does", () => {
    expect(parsed("a 1 \\", "  2 \\", "3\r", "----\r", "ok\r", "\r", "b", "----", "ok\r")).toEqual([
      [1, "a 1  2  3", "", "ok\n"],
      [7, "b", "", "ok\n"],
    ]);
  });

  it("has blank lines in an output between doubled fences", () => {
    expect(parsed("a", "----", "----", "x", "", "----", "y", "----", "----", "", "b", "----", "ok")).toEqual([
      [1, "a", "", "x\n\n----\ny\n"],
      [11, "b", "", "ok\n"],
    ]);
  });

  it("may group its stanzas into subtests", () => {
    expect(
      parsed(
        "subtest one",
        "a",
        "----",
        "ok",
        "",
        "subtest one/two",
        "subtest end",
        "subtest end one",
        "b",
        "----",
        "ok",
      ),
    ).toEqual([
      [2, "a", "", "ok\n"],
      [9, "b", "", "ok\n"],
    ]);
  });

  it.each([
    [["a", "", "b", "no fence"], "line 1: the directive has no line ----"],
    [["# c", "a b=(", "----", "ok"], "line 2: cannot parse directive at column 6: a b=("],
    [["a", "----", "----", "x", "----", ""], "line 1: the doubled ---- is not closed"],
    [["a", "----", "----", "----", "----", "b"], "line 1: a blank line must follow the closing doubled ----"],
    [["subtest one"], 'subtest one has no "subtest end"'],
    [["subtest end"], "line 1: subtest end without a subtest"],
    [["subtest one", "subtest two"], 'line 2: the name of a subtest in one must begin with "one/"'],
    [["subtest one", "subtest end two"], "line 2: subtest end of two closes one"],
    [["subtest"], "line 1: subtest takes a name, or end and a name"],
  ])("%j is refused", (lines, reason) => {
    expect(() => parseScript(lines.join("\n"))).toThrow(expect.objectContaining({ message: reason }));
  });
});
