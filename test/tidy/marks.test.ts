import { describe, expect, it } from "vitest";
import { markComplaints } from "./marks.ts";

describe("markComplaints", () => {
  it.each([
    ["// TO|DO: later", "work is left"],
    ["# FIX|ME", "work is left"],
    ["// XX|X", "work is left"],
    ["// @ts-|ignore", "check switched off"],
    ["// @ts-|expect-error: wrong", "check switched off"],
    ["// oxlint-|disable-next-line eqeqeq", "check switched off"],
    ["/* eslint-|disable */", "check switched off"],
    [`it.on|ly("x", f);`, "left out"],
    [`describe.sk|ip("x", f);`, "left out"],
    [`it.sk|ip.each([1])("x", f);`, "left out"],
    [`test.concurrent.sk|ip("x", f);`, "left out"],
    ["// =|======", "banner comment"],
    ["// -|-- Part two ---", "banner comment"],
    ["/*|*********", "banner comment"],
    ["  # #|#########", "banner comment"],
    ["// \u2500|\u2500\u2500 Part", "banner comment"],
    [`const path = "/wo|rk/main/x";`, "absolute path"],
    ["see (/ro|ot/.npmrc)", "absolute path"],
    [`cd /ho|me/alice/gpumesh`, "absolute path"],
  ])("forbids %s", (planted, what) => {
    const text = `\n${planted.replace("|", "")}\n`;
    expect(markComplaints({ path: "daemon/mesh/dial.ts", text })).toEqual([
      expect.objectContaining({
        line: 2,
        what: expect.stringContaining(what),
        remedy: expect.stringMatching(/.+/),
      }),
    ]);
  });

  it.each([
    "/** A docstring. */",
    "/**\n * A longer docstring.\n */",
    "#!/bin/sh",
    "mktemp /tmp/x.XX|XXXX",
    "reader.sk|ip(2);",
    "it.skipIf(!isRoot)('x', f);",
    "const url = `https://example.com/root/items/`;",
    "const folder = `${top}/root/x/`;",
    "const total = a --- b;",
  ])("lets %s pass", (text) => {
    expect(markComplaints({ path: "daemon/mesh/dial.ts", text: text.replace("|", "") })).toEqual([]);
  });

  it("looks for paths of one machine in documents too, for the rest only in code", () => {
    const text = "TO|DO in /wo|rk/main".replaceAll("|", "");
    expect(markComplaints({ path: "docs/fencing.md", text: `${text}/x` })).toEqual([
      expect.objectContaining({ what: expect.stringContaining("absolute path") }),
    ]);
  });
});
