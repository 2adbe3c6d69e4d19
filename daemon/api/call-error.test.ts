import { Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { CallError, callErrorOf } from "./call-error.ts";

describe("a call error", () => {
  it("keeps its line short enough for a header, and writable with encodeURI", () => {
    // The cut falls between the halves of the last character.
    const { details } = new CallError(status.NOT_FOUND, `x${"\u{1f600}".repeat(10_000)}`);
    expect(details.length).toBeLessThan(1_100);
    expect(() => encodeURI(details)).not.toThrow();
    expect(() => encodeURI(new CallError(status.NOT_FOUND, "\ud800").details)).not.toThrow();
  });

  it("passes on what another daemon answered, and names anything else as a failure of this one", () => {
    const own = new CallError(status.NOT_FOUND, "there is no job 7");
    expect(callErrorOf(own)).toBe(own);
    const from = { code: status.ALREADY_EXISTS, details: "the name is taken", metadata: new Metadata() };
    expect(callErrorOf(Object.assign(new Error("6 ALREADY_EXISTS"), from))).toMatchObject({
      code: status.ALREADY_EXISTS,
      details: "the name is taken",
    });
    for (const thrown of [new TypeError("x is undefined"), "text", null, { code: 5, details: "no error" }])
      expect(callErrorOf(thrown)).toMatchObject({ code: status.INTERNAL });
  });
});
