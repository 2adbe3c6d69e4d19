import { expect, it } from "vitest";
import { TestCluster } from "./cluster.fixture.ts";
import { canonicalState } from "./digest.ts";
import { recordsOf, restoreState, type StateRecord } from "./records.ts";

it("is the same for the same state, whatever order its records and their keys came in", () => {
  const cluster = new TestCluster();
  cluster.register("dev1");
  cluster.register("dev2");
  cluster.run(cluster.submit(), "dev2");
  cluster.submit();
  const records = [...recordsOf(cluster.state)].map(reverseKeys) as StateRecord[];
  const restored = restoreState(records.toReversed(), cluster.state.version);
  expect(canonicalState(restored)).toBe(canonicalState(cluster.state));
});

it("differs when anything differs", () => {
  const cluster = new TestCluster();
  cluster.register("dev1");
  const before = canonicalState(cluster.state);
  cluster.register("dev1", { bootId: "boot-2" });
  expect(canonicalState(cluster.state)).not.toBe(before);
});

function reverseKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reverseKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, inner]) => [key, reverseKeys(inner)]),
  );
}
