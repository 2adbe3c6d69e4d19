import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LINE_BYTES_MAX, isStop, lineSplitter, parseAnswer, parseRequest } from "./protocol.ts";

const request = {
  job: 1,
  attempt: 1,
  token: "token",
  id: "0123456789abcdef",
  host: "n1",
  commandLine: "true",
  stdoutOffset: 0,
  stderrOffset: 0,
};

describe("the remote shell's lines", () => {
  it("come out as they went in, however the stream is cut", () => {
    const line = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", ""));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(20)), fc.string(), (lines, cuts, rest) => {
        const bytes = Buffer.from(lines.map((each) => `${each}\n`).join("") + rest.replaceAll("\n", ""));
        const seen: string[] = [];
        const take = lineSplitter((each) => seen.push(each));
        let at = 0;
        for (const length of cuts) {
          take(bytes.subarray(at, at + length));
          at += length;
        }
        take(bytes.subarray(at));
        expect(seen).toEqual(lines);
      }),
    );
  });

  it("have a limit", () => {
    const take = lineSplitter(() => undefined);
    take(Buffer.alloc(LINE_BYTES_MAX, "x"));
    expect(() => take(Buffer.from("x"))).toThrow("longer than");
  });

  it("are refused when they do not fit", () => {
    expect(parseRequest(JSON.stringify(request))).toEqual(request);
    for (const change of [
      { id: "../x" },
      { job: 0 },
      { token: "" },
      { commandLine: "" },
      { stdoutOffset: -1 },
      { x: 1 },
    ])
      expect(parseRequest(JSON.stringify({ ...request, ...change }))).toBeNull();
    expect(parseRequest("{")).toBeNull();
    expect(isStop('{"stop":true}')).toBe(true);
    expect(isStop('{"stop":false}')).toBe(false);
    expect(parseAnswer('{"exit":1.5,"reason":""}')).toBeNull();
  });
});
