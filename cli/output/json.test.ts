import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonDocument, jsonLine } from "./json.ts";

describe("json", () => {
  it("means what was given, in characters that are safe to show", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const document = jsonDocument({ text });
        expect(JSON.parse(document)).toEqual({ text });
        expect(document.replaceAll("\n", "")).not.toMatch(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/u);
      }),
    );
  });

  it("of a line is one line", () => {
    expect(jsonLine({ a: [1, "x\ny"] })).toBe('{"a":[1,"x\\ny"]}\n');
  });
});
