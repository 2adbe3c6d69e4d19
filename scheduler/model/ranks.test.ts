import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Toolkit } from "./job.ts";
import { partHasTasks, ranksOfPart } from "./ranks.ts";

const script = { interpreter: "python3", path: "train.py", arguments: "" };
const torch = (processCount: number, backend: "gloo" | "mpi" = "gloo"): Toolkit => ({
  kind: "pyTorch",
  script,
  processCount,
  backend,
});

describe("ranksOfPart", () => {
  it("gives the first parts one rank more", () => {
    const spec = { toolkit: torch(8), nodeCount: 3 };
    expect([0, 1, 2].map((part) => ranksOfPart(spec, part))).toEqual([
      { first: 0, count: 3 },
      { first: 3, count: 3 },
      { first: 6, count: 2 },
    ]);
  });

  it("gives a custom toolkit one rank, on the head", () => {
    const spec = { toolkit: { kind: "customToolkit", commandLine: "true" } as const, nodeCount: 2 };
    expect([0, 1].map((part) => ranksOfPart(spec, part).count)).toEqual([1, 0]);
  });

  it("covers every rank once, in order, in blocks that differ by at most one", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 40 }),
        (processCount, nodeCount) => {
          const spec = { toolkit: torch(processCount), nodeCount };
          let next = 0;
          const counts: number[] = [];
          for (let part = 0; part < nodeCount; part++) {
            const range = ranksOfPart(spec, part);
            expect(range.first).toBe(next);
            next += range.count;
            counts.push(range.count);
          }
          expect(next).toBe(processCount);
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});

describe("partHasTasks", () => {
  it("is the head alone where mpirun or one command starts everything", () => {
    const headOnly: Toolkit[] = [
      { kind: "customToolkit", commandLine: "true" },
      { kind: "customMpi", commandLine: "true", processCount: 4 },
      { kind: "horovod", script, processCount: 4 },
      torch(4, "mpi"),
    ];
    for (const toolkit of headOnly) {
      const spec = { toolkit, nodeCount: 2 };
      expect([0, 1].map((part) => partHasTasks(spec, part))).toEqual([true, false]);
    }
  });

  it("is every part that has a rank where gpumesh starts the ranks", () => {
    const spec = { toolkit: torch(2), nodeCount: 3 };
    expect([0, 1, 2].map((part) => partHasTasks(spec, part))).toEqual([true, true, false]);
  });
});
