import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { visible, visibleLines } from "./visible.ts";

describe("visible", () => {
  it("leaves what people write", () => {
    expect(visible("train-1 Größe 训练 50 %")).toBe("train-1 Größe 训练 50 %");
  });

  it.each([
    ["\x1b[2Jgone", "\\x1b[2Jgone"],
    ["a\nb\rc\td", "a\\x0ab\\x0dc\\x09d"],
    ["\x9b31m", "\\x9b31m"],
    ["a\u202eb\u200bc", "a\\u{202e}b\\u{200b}c"],
    ["\x7f\u2028", "\\x7f\\u{2028}"],
    ["tag \u{e0041}", "tag \\u{e0041}"],
  ])("writes out %j", (hostile, shown) => {
    expect(visible(hostile)).toBe(shown);
  });

  it("lets nothing through that a terminal acts on", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(visible(text)).not.toMatch(/\p{Cc}|\p{Cf}/u);
      }),
    );
  });

  it("keeps the line feeds of several lines", () => {
    expect(visibleLines("a\x1b\nb")).toBe("a\\x1b\nb");
  });
});
