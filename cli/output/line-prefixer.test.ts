import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LinePrefixer } from "./line-prefixer.ts";

function prefixed(pieces: readonly Uint8Array[]): string {
  const lines = new LinePrefixer("[t] ");
  return Buffer.concat([...pieces.map((piece) => lines.add(piece)), lines.end()]).toString("latin1");
}

describe("a line prefixer", () => {
  it("names each line, however the bytes are cut", () => {
    const byte = fc.constantFrom(0x0a, 0x0d, 0x41, 0xff);
    fc.assert(
      fc.property(fc.array(fc.array(byte).map((bytes) => Uint8Array.from(bytes))), (pieces) => {
        const text = Buffer.concat(pieces).toString("latin1");
        const lines = text.split("\n");
        if (lines.at(-1) === "") lines.pop();
        expect(prefixed(pieces)).toBe(lines.map((line) => `[t] ${line}\n`).join(""));
      }),
    );
  });

  it("gives whole lines only, until the end", () => {
    const lines = new LinePrefixer("> ");
    expect(lines.add(Buffer.from("a\nb")).toString()).toBe("> a\n");
    expect(lines.add(Buffer.from("c\n")).toString()).toBe("> bc\n");
    expect(lines.end().toString()).toBe("");
  });

  it("cuts a line that does not end", () => {
    expect(prefixed([Buffer.alloc(65_537, "x"), Buffer.from("y\n")])).toBe(
      `[t] ${"x".repeat(65_536)}\n[t] xy\n`,
    );
  });
});
