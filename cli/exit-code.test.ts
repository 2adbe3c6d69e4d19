import { describe, expect, it } from "vitest";
import { ApiError } from "./client/api-error.ts";
import { ContextError } from "./client/context.ts";
import { MeshUnreachable } from "./client/mesh-unreachable.ts";
import { CliError, exitCodeOfError, exitCodeOfJob } from "./exit-code.ts";

describe("the exit code", () => {
  it.each([
    ["succeeded", 0, 0],
    ["failed", 3, 3],
    ["failed", 137, 137],
    ["failed", 0, 1],
    ["failed", 256, 1],
    ["failed", -1, 1],
    ["cancelled", 0, 130],
    ["lost in translation", 0, 1],
  ])("of a job that %s with %d is %d", (state, exitCode, expected) => {
    expect(exitCodeOfJob({ state, exitCode })).toBe(expected);
  });

  it.each([
    [new CliError("wrong", 2), 2],
    [new MeshUnreachable("m", [], 0), 3],
    [new ApiError("NOT_FOUND", "no job"), 1],
    [new ContextError("no context"), 1],
    [new Error("a defect"), 1],
    ["thrown text", 1],
  ])("for %s is %d", (error, expected) => {
    expect(exitCodeOfError(error)).toBe(expected);
  });
});
