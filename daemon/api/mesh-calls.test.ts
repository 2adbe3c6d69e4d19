import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { Directory } from "../mesh/directory.ts";
import { contextOf, NOW, storeOfMesh } from "./api.fixture.ts";
import { createJoinToken, getMesh, listNodes } from "./mesh-calls.ts";

describe("a join token", () => {
  it("is given out once it is committed, valid as long as asked for", async () => {
    const store = await storeOfMesh();
    const hour = await createJoinToken(contextOf(store), { validMs: 0 });
    expect(hour).toEqual({ token: "the whole token", expiresAtMs: NOW + 3_600_000 });
    expect(store.view().tokens.get("made")?.expiresAt).toBe(NOW + 3_600_000);
  });

  for (const validMs of [-1, -1e15, 7 * 24 * 3_600_000 + 1, 1e15]) {
    it(`is not made for ${validMs} ms`, async () => {
      const store = await storeOfMesh();
      await expect(createJoinToken(contextOf(store), { validMs })).rejects.toMatchObject({
        code: status.INVALID_ARGUMENT,
      });
      expect(store.view().tokens.has("made")).toBe(false);
    });
  }

  it("is not given out by a daemon that does not lead", async () => {
    const store = await storeOfMesh();
    store.setLeader(2);
    await expect(createJoinToken(contextOf(store), { validMs: 0 })).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
  });
});

describe("the mesh", () => {
  it("shows its nodes, its leader and what consensus knows", async () => {
    const store = await storeOfMesh();
    const directory = new Directory("mesh-1", [
      { name: "one", number: 1, address: "one:7480", raftRole: "voter" },
    ]);
    const context = contextOf(store, { directory });
    expect(await getMesh(context, {})).toMatchObject({
      id: "mesh-1",
      leader: "one",
      term: 1,
      voters: ["one"],
      nodesByState: { idle: 1 },
      slots: 4,
    });
    const { nodes } = await listNodes(context, {});
    expect(nodes).toMatchObject([{ name: "one", state: "idle", leader: true, raftRole: "voter", slots: 4 }]);
  });

  it("is not shown without a confirmed round", async () => {
    const store = await storeOfMesh();
    store.setLeader(null);
    await expect(getMesh(contextOf(store), {})).rejects.toMatchObject({ code: status.UNAVAILABLE });
    await expect(listNodes(contextOf(store), {})).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });
});
