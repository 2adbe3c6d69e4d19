import { describe, expect, it } from "vitest";
import { nearestName } from "./nearest-name.ts";

describe("nearestName", () => {
  const known = ["nodeCount", "name", "pool", "secrets"];
  it.each([
    ["nodeCuont", "nodeCount"],
    ["NodeCount", "nodeCount"],
    ["nodes", null],
    ["nodecounts", "nodeCount"],
    ["secret", "secrets"],
    ["pol", "pool"],
    ["xyz", null],
    ["", null],
    ["n".repeat(100), null],
  ])("%j means %j", (found, meant) => {
    expect(nearestName(found, known)).toBe(meant);
  });
});
