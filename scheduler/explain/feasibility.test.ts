import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { poolId } from "../model/ids.ts";
import { createDraft } from "../placement/draft.ts";
import { placeGang } from "../placement/gang.ts";
import { testSpec, TestCluster } from "../state/cluster.fixture.ts";
import { feasibility } from "./feasibility.ts";

function cluster(...names: string[]): TestCluster {
  const made = new TestCluster();
  for (const name of names) made.register(name);
  return made;
}

const eight = { kind: "share", gpus: 8, slots: 1 } as const;

describe("feasibility", () => {
  it("finds no fault with what could run once others have left, nodes have returned and GPUs have healed", () => {
    const c = cluster("dev1", "dev2");
    c.run(c.submit({ shape: { kind: "wholeNode", gpusAtLeast: 8 } }), "dev1");
    c.register("dev2", { sick: [0, 1] });
    c.expire("dev2");
    expect(feasibility(c.state, testSpec({ nodeCount: 2, shape: eight }))).toEqual([]);
  });

  it("names the number of nodes that would do", () => {
    const c = cluster("dev1", "dev2", "dev3");
    c.register("dev4", { gpus: 4 });
    expect(feasibility(c.state, testSpec({ nodeCount: 4, shape: { ...eight, slots: 0 } }))).toEqual([
      { path: "nodeCount", found: "4", allowed: "at most 3: pool default has 3 nodes with 8 GPUs" },
    ]);
  });

  it("names every limit that no node passes, all at once", () => {
    const c = cluster("dev1");
    const spec = testSpec({ nodeCount: 2, shape: { kind: "share", gpus: 9, slots: 17 } });
    expect(feasibility(c.state, spec)).toEqual([
      { path: "nodeCount", found: "2", allowed: "at most 1: pool default has 1 node" },
      {
        path: "shape.gpus",
        found: "9",
        allowed: "at most 8: no node of pool default has more, dev1 has 8 GPUs",
      },
      {
        path: "shape.slots",
        found: "17",
        allowed: "at most 16: no node of pool default has more, dev1 has 16 CPU slots",
      },
    ]);
    expect(feasibility(c.state, testSpec({ shape: { kind: "wholeNode", gpusAtLeast: 9 } }))).toMatchObject([
      { path: "shape.gpusAtLeast", found: "9" },
    ]);
  });

  it("names the slots where GPUs and slots are there, but never on one node", () => {
    const c = cluster("dev1");
    c.register("dev2", { gpus: 0, slots: 64 });
    expect(feasibility(c.state, testSpec({ shape: { ...eight, slots: 32 } }))).toEqual([
      {
        path: "shape.slots",
        found: "32",
        allowed: "at most 16: no node of pool default with 8 GPUs has more",
      },
    ]);
  });

  it("says so when the pool has no node yet", () => {
    const spec = testSpec({ pool: poolId("big") });
    expect(feasibility(new TestCluster().state, spec)).toEqual([
      { path: "pool", found: "big", allowed: "no pool yet: the mesh has no node that has registered" },
    ]);
    expect(feasibility(cluster("dev1").state, spec)).toEqual([
      { path: "pool", found: "big", allowed: "default: pool big has no node yet" },
    ]);
  });

  it("finds no fault exactly with the jobs that fit an idle mesh", () => {
    const machine = fc.record({ gpus: fc.nat({ max: 3 }), slots: fc.integer({ min: 1, max: 3 }) });
    const shape = fc.oneof(
      fc.record({ kind: fc.constant("share" as const), gpus: fc.nat({ max: 4 }), slots: fc.nat({ max: 4 }) }),
      fc.record({ kind: fc.constant("wholeNode" as const), gpusAtLeast: fc.nat({ max: 4 }) }),
    );
    const machines = fc.array(machine, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(machines, shape, fc.integer({ min: 1, max: 5 }), (nodes, wanted, nodeCount) => {
        const c = new TestCluster();
        nodes.forEach((node, i) => {
          c.register(`dev${i}`, node);
        });
        const job = c.job(c.submit({ shape: wanted, nodeCount }));
        const faults = feasibility(c.state, job.spec);
        expect(faults.length === 0).toBe(placeGang(createDraft(c.state), job).kind === "placed");
      }),
    );
  });
});
