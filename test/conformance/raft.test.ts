import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runScripts } from "./run-scripts.ts";

const SCRIPTS = fileURLToPath(new URL("../../../shared/data/etcd-raft", import.meta.url));

describe("the raft core on the scripts of etcd-io/raft", () => {
  if (!existsSync(SCRIPTS)) {
    throw new Error(
      `the scripts are missing: put etcd-io/raft's testdata at ../shared/data/etcd-raft beside this tree`,
    );
  }
  const results = runScripts(SCRIPTS);

  it("finds all three kinds of scripts", () => {
    expect(results).toHaveLength(31);
    expect(results.reduce((sum, { stanzas }) => sum + stanzas, 0)).toBe(528);
  });

  it.each(results)("$path", ({ difference }) => {
    expect(difference).toBeNull();
  });
});
