import { describe, expect, it } from "vitest";
import type { JobSpec } from "../model/job.ts";
import { TestCluster } from "../state/cluster.fixture.ts";
import { createDraft } from "./draft.ts";
import { placeGang, type Placement } from "./gang.ts";

function cluster(...names: string[]): TestCluster {
  const made = new TestCluster();
  for (const name of names) made.register(name);
  return made;
}

function tryPlace(on: TestCluster, spec: Partial<JobSpec>): Placement {
  return placeGang(createDraft(on.state), on.job(on.submit(spec)));
}

function nodesOf(placement: Placement): string[] {
  if (placement.kind === "waits") throw new Error("it waits");
  return placement.parts.map((part) => part.node);
}

describe("placeGang", () => {
  it("takes the lowest free GPUs of each node", () => {
    const c = cluster("dev1");
    c.run(c.submit({ shape: { kind: "share", gpus: 2, slots: 1 } }), "dev1");
    expect(tryPlace(c, { shape: { kind: "share", gpus: 3, slots: 1 } })).toMatchObject({
      kind: "placed",
      parts: [{ node: "dev1", gpus: ["GPU-dev1-2", "GPU-dev1-3", "GPU-dev1-4"], slots: 1 }],
    });
  });

  it("packs: prefers the fullest node that fits", () => {
    const c = cluster("dev1", "dev2", "dev3");
    c.run(c.submit({ shape: { kind: "share", gpus: 4, slots: 1 } }), "dev2");
    c.run(c.submit({ shape: { kind: "share", gpus: 7, slots: 1 } }), "dev3");
    expect(nodesOf(tryPlace(c, { shape: { kind: "share", gpus: 2, slots: 1 } }))).toEqual(["dev2"]);
    expect(nodesOf(tryPlace(c, { nodeCount: 2, shape: { kind: "share", gpus: 1, slots: 1 } }))).toEqual([
      "dev2",
      "dev3",
    ]);
  });

  it("keeps jobs without GPUs off the nodes that have some", () => {
    const c = cluster("dev1");
    c.register("dev2", { gpus: 0 });
    expect(nodesOf(tryPlace(c, { shape: { kind: "share", gpus: 0, slots: 4 } }))).toEqual(["dev2"]);
  });

  it("goes by name where nodes are even", () => {
    expect(nodesOf(tryPlace(cluster("dev3", "dev1", "dev2"), { nodeCount: 2 }))).toEqual(["dev1", "dev2"]);
  });

  it("takes all ranks or none, and says of each other node what keeps it out", () => {
    const c = cluster("dev1", "dev2");
    c.register("dev3", { pool: "other" });
    c.register("dev4", { gpus: 4 });
    c.expire("dev2");
    const draft = createDraft(c.state);
    const job = c.job(c.submit({ nodeCount: 2, shape: { kind: "share", gpus: 8, slots: 1 } }));
    const before = [...draft.nodes.values()];
    const placement = placeGang(draft, job);
    expect(placement).toMatchObject({ kind: "waits", fits: 1 });
    if (placement.kind === "placed") throw new Error("it was placed");
    expect(placement.reasons.map(({ node, filter }) => [node, filter.name])).toEqual([
      ["dev2", "ready"],
      ["dev3", "pool"],
      ["dev4", "shape"],
    ]);
    expect([...draft.nodes.values()]).toEqual(before);
  });

  it("gives a whole node with every healthy GPU and every slot, and only an empty one", () => {
    const c = cluster("dev1");
    c.register("dev2", { sick: [0] });
    c.run(c.submit(), "dev1");
    const placement = tryPlace(c, { shape: { kind: "wholeNode", gpusAtLeast: 7 } });
    expect(placement).toMatchObject({ kind: "placed", parts: [{ node: "dev2", slots: 16 }] });
    if (placement.kind === "placed") expect(placement.parts[0]?.gpus).toHaveLength(7);
    expect(tryPlace(c, { shape: { kind: "wholeNode", gpusAtLeast: 8 } }).kind).toBe("waits");
  });
});

describe("a node that a job holds whole", () => {
  it("takes nothing else, not even a job that asks for nothing, in the state and in the draft", () => {
    const nothing: Partial<JobSpec> = { shape: { kind: "share", gpus: 0, slots: 0 } };
    const c = cluster("dev1");
    const whole = c.submit({ shape: { kind: "wholeNode", gpusAtLeast: 0 } });
    const small = c.submit(nothing);
    const draft = createDraft(c.state);
    expect(placeGang(draft, c.job(whole)).kind).toBe("placed");
    expect(placeGang(draft, c.job(small)).kind).toBe("waits");
    c.place(whole, "dev1");
    expect(tryPlace(c, nothing).kind).toBe("waits");
  });
});

describe("Draft", () => {
  it("is what it was at the checkpoint after a rollback", () => {
    const c = cluster("dev1", "dev2");
    const first = c.job(c.submit({ shape: { kind: "share", gpus: 8, slots: 1 } }));
    const second = c.job(c.submit({ nodeCount: 2, shape: { kind: "share", gpus: 0, slots: 3 } }));
    const draft = createDraft(c.state);
    placeGang(draft, first);
    const kept = [...draft.nodes];
    const checkpoint = draft.checkpoint();
    placeGang(draft, second);
    placeGang(draft, { ...second, id: c.submit() });
    expect([...draft.nodes]).not.toEqual(kept);
    draft.rollback(checkpoint);
    expect([...draft.nodes]).toEqual(kept);
  });

  it("never touches the state", () => {
    const c = cluster("dev1");
    const job = c.job(c.submit());
    placeGang(createDraft(c.state), job);
    expect(c.state.allocationsOf(c.node("dev1").id)).toEqual([]);
    expect(c.job(job.id)).toBe(job);
  });

  it("throws when it is told to give what it has not", () => {
    const c = cluster("dev1");
    const job = c.job(c.submit({ shape: { kind: "share", gpus: 8, slots: 1 } }));
    const draft = createDraft(c.state);
    const placement = placeGang(draft, job);
    if (placement.kind === "waits") throw new Error("it waits");
    const again = { job: job.id, attempt: 2, spec: job.spec, parts: placement.parts, rendezvousPort: 29_400 };
    expect(() => draft.take(again)).toThrow("job 1 was drafted on node dev1, where it does not fit");
  });
});
