import { Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { ApiError } from "./api-error.ts";
import { BrokenCall, callErrorOf } from "./broken-call.ts";
import { callFaultOf } from "./connect-fault.ts";

const unconnected = "No connection established. Last error: ";

describe("what a failed call says", () => {
  it.each([
    [`${unconnected}connect ECONNREFUSED 10.0.0.1:7480`, /^nothing listens there/, false, false],
    ["Name resolution failed for target dns:nowhere:7480", /host name/, false, false],
    [`${unconnected}self-signed certificate in certificate chain`, /another mesh/, false, true],
    [`${unconnected}certificate has expired`, /has expired/, false, true],
    [`${unconnected}write EPROTO: wrong version number`, /no gpumesh daemon/, false, true],
    [
      "No connection established. Last error: Failed to connect (2026-05-01T12:00:00.000Z). Resolution note: ",
      /^the daemon closed the connection; its log says why/,
      false,
      false,
    ],
    ["Connection dropped", /connection was closed/, false, false],
    [`${unconnected}something new`, /something new/, false, false],
    ["this daemon knows no leader\nsecond line", /^this daemon knows no leader$/, true, false],
    ["", /^no reason given$/, true, false],
  ])("%j", (details, error, answered, permanent) => {
    const fault = callFaultOf(details);
    expect(fault.error).toMatch(error);
    expect(fault).toMatchObject({ answered, permanent });
  });
});

describe("an error of a call", () => {
  const map = (code: status, details: string, shape: "unary" | "stream" = "unary"): unknown =>
    callErrorOf(Object.assign(new Error(details), { code, details, metadata: new Metadata() }), shape);

  it("may be tried again, or is the mesh's answer", () => {
    expect(map(status.UNAVAILABLE, "x")).toBeInstanceOf(BrokenCall);
    expect(map(status.CANCELLED, "x")).toBeInstanceOf(BrokenCall);
    expect(map(status.DEADLINE_EXCEEDED, "x")).toMatchObject({ name: "BrokenCall", timedOut: true });
    expect(map(status.NOT_FOUND, "no job")).toEqual(new ApiError("NOT_FOUND", "no job"));
    expect(map(status.INVALID_ARGUMENT, "x")).toMatchObject({ name: "ApiError", code: "INVALID_ARGUMENT" });
  });

  it("that is a daemon's own defect ends a call, and breaks a stream", () => {
    expect(map(status.INTERNAL, "the daemon failed: x")).toBeInstanceOf(ApiError);
    expect(map(status.INTERNAL, "the daemon failed: x", "stream")).toBeInstanceOf(BrokenCall);
    expect(map(status.INTERNAL, "Received RST_STREAM with code 2")).toBeInstanceOf(BrokenCall);
  });

  it("of another kind stays what it is", () => {
    const error = new TypeError("a defect");
    expect(callErrorOf(error, "unary")).toBe(error);
    expect(callErrorOf(null, "unary")).toBe(null);
  });
});
