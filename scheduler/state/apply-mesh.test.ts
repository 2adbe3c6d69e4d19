import { describe, expect, it } from "vitest";
import type { AdmitNode, InitialiseMesh } from "../model/command.ts";
import { nodeId } from "../model/ids.ts";
import { joinTokensMax } from "./apply-mesh.ts";
import { TestCluster } from "./cluster.fixture.ts";

const initialise: InitialiseMesh = {
  kind: "initialiseMesh",
  at: 1,
  meshId: "mesh-a",
  authority: { certificatePem: "certificate", privateKeyPem: "key" },
  founder: nodeId("dev1"),
};
const admit: AdmitNode = {
  kind: "admitNode",
  at: 50,
  requestId: "r1",
  node: nodeId("dev2"),
  tokenId: "t1",
  secretHash: "hash",
};

function meshWithToken(): TestCluster {
  const cluster = new TestCluster();
  cluster.must(initialise);
  cluster.must({ kind: "addJoinToken", at: 2, id: "t1", secretHash: "hash", expiresAt: 100 });
  return cluster;
}

describe("initialiseMesh", () => {
  it("makes the founder node number 1, joining", () => {
    const cluster = new TestCluster();
    expect(cluster.apply(initialise)).toEqual({ kind: "node", number: 1, session: 0 });
    expect(cluster.state.mesh).toMatchObject({ id: "mesh-a", founder: "dev1" });
    expect(cluster.state.nodeByNumber(1)?.state).toEqual({ kind: "joining", since: 1 });
  });

  it("happens once", () => {
    const cluster = meshWithToken();
    expect(cluster.apply({ ...initialise, meshId: "mesh-b" })).toEqual({
      kind: "refused",
      code: "already-exists",
      reason: "this mesh is already initialised as mesh-a",
    });
  });
});

describe("admitNode", () => {
  it("gives each node the next number, with one token for all", () => {
    const cluster = meshWithToken();
    expect(cluster.apply(admit)).toMatchObject({ kind: "node", number: 2 });
    expect(cluster.apply({ ...admit, requestId: "r2", node: nodeId("dev3") })).toMatchObject({ number: 3 });
  });

  it("answers a repeated request the same, and another request for a taken name with a way out", () => {
    const cluster = meshWithToken();
    cluster.must(admit);
    expect(cluster.apply(admit)).toMatchObject({ kind: "node", number: 2 });
    const other = cluster.apply({ ...admit, requestId: "r2" });
    expect(other).toMatchObject({ kind: "refused", code: "already-exists" });
    expect(other).toHaveProperty(
      "reason",
      "the mesh already has a node named dev2 (number 2); join under another node name",
    );
  });

  it.each([
    [{ tokenId: "t9" }, "node dev2 may not join: join token t9 is unknown; make one on a node of the mesh"],
    [{ secretHash: "guess" }, "node dev2 may not join: the secret does not belong to join token t1"],
    [{ at: 100 }, "node dev2 may not join: join token t1 has expired; make a new one"],
  ])("refuses a bad token and says what is bad: %j", (change, reason) => {
    const cluster = meshWithToken();
    expect(cluster.apply({ ...admit, ...change })).toEqual({
      kind: "refused",
      code: "not-permitted",
      reason,
    });
  });

  it("asks for the secret even of a request that it knows", () => {
    const cluster = meshWithToken();
    cluster.must(admit);
    expect(cluster.apply({ ...admit, secretHash: "guess" })).toMatchObject({ code: "not-permitted" });
  });
});

describe("addJoinToken", () => {
  it("takes the same token twice, and refuses another secret under its id", () => {
    const cluster = meshWithToken();
    const again = { kind: "addJoinToken", at: 3, id: "t1", secretHash: "hash", expiresAt: 100 } as const;
    expect(cluster.apply(again)).toEqual({ kind: "applied" });
    expect(cluster.apply({ ...again, expiresAt: 200 })).toEqual({ kind: "applied" });
    expect(cluster.state.tokens.get("t1")?.expiresAt).toBe(100);
    expect(cluster.apply({ ...again, secretHash: "other" })).toMatchObject({ code: "already-exists" });
  });

  it("keeps a bounded number, and lets expired ones make room", () => {
    const cluster = meshWithToken();
    const token = (id: string, at: number) =>
      ({ kind: "addJoinToken", at, id, secretHash: "hash", expiresAt: 1000 }) as const;
    for (let i = 2; i <= joinTokensMax; i++) cluster.must(token(`t${i}`, 3));
    expect(cluster.apply(token("one-more", 99))).toMatchObject({ code: "impossible" });
    expect(cluster.apply(token("one-more", 100))).toEqual({ kind: "applied" });
    expect(cluster.state.tokens.has("t1")).toBe(false);
  });
});
