import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MUTANTS } from "./mutants.ts";

const root = join(import.meta.dirname, "../../..");

describe("the planted bugs", () => {
  it("have their place in the product, exactly one for each edit", () => {
    const misplaced = MUTANTS.flatMap(({ bug, edits }) =>
      edits
        .filter(({ file, find }) => readFileSync(join(root, file), "utf8").split(find).length !== 2)
        .map(({ file, find }) => `${bug}: ${file}: ${find}`),
    );
    expect(misplaced).toEqual([]);
  });

  it("have each a name of its own", () => {
    expect(new Set(MUTANTS.map(({ bug }) => bug)).size).toBe(MUTANTS.length);
  });
});
