import { describe, expect, it } from "vitest";
import { nodeId } from "../model/ids.ts";
import { TestCluster } from "./cluster.fixture.ts";
import { recordsOf, restoreState } from "./records.ts";
import { canonicalState } from "./digest.ts";
import { answersMax } from "./state.ts";

function cluster(...names: readonly string[]): TestCluster {
  const made = new TestCluster();
  for (const name of names) made.register(name);
  return made;
}

const bar = { kind: "setVote", at: 1, requestId: "bar-n2", node: nodeId("n2"), vote: "barred" } as const;

describe("setVote", () => {
  it("is done once for each request: an old one that comes again undoes nothing", () => {
    const mesh = cluster("n1", "n2");
    mesh.must(bar);
    expect(mesh.node("n2").vote).toBe("barred");
    mesh.must({ ...bar, requestId: "prefer-n2", vote: "preferred" });
    expect(mesh.apply(bar)).toEqual({ kind: "applied" });
    expect(mesh.node("n2").vote).toBe("preferred");
  });

  it("is judged anew after a refusal", () => {
    const mesh = cluster("n1");
    expect(mesh.apply(bar)).toMatchObject({ kind: "refused", code: "not-found" });
    mesh.register("n2");
    expect(mesh.apply(bar)).toEqual({ kind: "applied" });
  });
});

describe("answers to requests", () => {
  const request = (nth: number) => ({ ...bar, requestId: `request-${nth}` });

  it("are forgotten by the count of later ones, alike on a replica that was restored meanwhile", () => {
    const mesh = cluster("n1", "n2");
    mesh.must(request(0));
    for (let nth = 1; nth <= 10; nth++) mesh.must(request(nth));
    let state = restoreState([...recordsOf(mesh.state)].toReversed(), mesh.state.version);
    expect(canonicalState(state)).toBe(canonicalState(mesh.state));
    for (let nth = 11; nth < answersMax; nth++) state.remember(`request-${nth}`, { kind: "applied" });
    expect(state.answerTo("request-0")).toEqual({ kind: "applied" });
    state = restoreState(recordsOf(state), state.version);
    state.remember("one more", { kind: "applied" });
    expect(state.answerTo("request-0")).toBeNull();
    expect(state.answerTo("request-1")).toEqual({ kind: "applied" });
    expect(state.answerTo("one more")).toEqual({ kind: "applied" });
    expect(state.answers.size).toBe(answersMax);
  });
});

describe("recoverMesh", () => {
  const recover = {
    kind: "recoverMesh",
    at: 86_400_000,
    survivor: nodeId("n3"),
    leftBehind: [1, 2],
  } as const;

  it("begins a new epoch, whose fences are above all earlier ones", () => {
    const mesh = cluster("n1", "n2", "n3");
    const job = mesh.submit();
    mesh.must(recover);
    expect(mesh.state.mesh).toMatchObject({ recoveryEpoch: 1, recoveredAt: 86_400_000 });
    mesh.place(job, "n3");
    expect(mesh.attempt(job).fence).toEqual({ epoch: 1, index: mesh.log.length });
  });

  it("never lets in again those who were left behind, and says how they come back", () => {
    const mesh = cluster("n1", "n2", "n3");
    mesh.must(recover);
    expect(() => mesh.register("n1")).toThrow(
      "this mesh was recovered at 1970-01-02T00:00:00Z without n1, whose data folder belongs to the mesh before; " +
        "remove the data folder and join again under another name",
    );
    expect(mesh.apply({ ...bar, vote: "preferred" })).toMatchObject({ kind: "refused", code: "impossible" });
    mesh.register("n3");
    mesh.register("n4");
    expect(mesh.node("n4").leftBehindAt).toBeNull();
  });
});

describe("configureMesh", () => {
  it("changes how long a lost voter is waited for", () => {
    const mesh = cluster("n1");
    mesh.must({ kind: "configureMesh", at: 1, requestId: "faster", voterReplaceAfterMs: 1_000 });
    expect(mesh.state.mesh?.voterReplaceAfterMs).toBe(1_000);
  });
});
