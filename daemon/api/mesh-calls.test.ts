import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { Directory } from "../mesh/directory.ts";
import { hashSecret } from "../security/join-token.ts";
import { contextOf, NOW, storeOfMesh } from "./api.fixture.ts";
import { createJoinToken, getMesh, listNodes } from "./mesh-calls.ts";

const requestId = "request-1";

describe("a join token", () => {
  it("is given out once it is committed, valid as long as asked for", async () => {
    const store = await storeOfMesh();
    const hour = await createJoinToken(contextOf(store), { validMs: 0, requestId }, "alice");
    const [, id = "", secret = ""] = hour.token?.split("/") ?? [];
    expect(hour.expiresAtMs).toBe(NOW + 3_600_000);
    expect(store.view().tokens.get(id)).toEqual({
      id,
      secretHash: hashSecret(secret),
      expiresAt: NOW + 3_600_000,
    });
  });

  it("is the same for the same request of the same user, whenever it is repeated, and for no other", async () => {
    const store = await storeOfMesh();
    const make = (user: string, id: string, now = NOW): ReturnType<typeof createJoinToken> =>
      createJoinToken(contextOf(store, { now: () => now }), { validMs: 60_000, requestId: id }, user);
    const first = await make("alice", requestId);
    expect(await make("alice", requestId, NOW + 1_000)).toEqual(first);
    const others = [await make("bob", requestId), await make("alice", "request-2")];
    expect(new Set([first, ...others].map(({ token }) => token)).size).toBe(3);
  });

  for (const validMs of [-1, -1e15, 7 * 24 * 3_600_000 + 1, 1e15]) {
    it(`is not made for ${validMs} ms`, async () => {
      const store = await storeOfMesh();
      await expect(createJoinToken(contextOf(store), { validMs, requestId }, "alice")).rejects.toMatchObject({
        code: status.INVALID_ARGUMENT,
      });
      expect([...store.view().tokens.keys()]).toEqual(["t1"]);
    });
  }

  it("is not given out by a daemon that does not lead", async () => {
    const store = await storeOfMesh();
    store.setLeader(2);
    await expect(createJoinToken(contextOf(store), { validMs: 0, requestId }, "alice")).rejects.toMatchObject(
      {
        code: status.UNAVAILABLE,
      },
    );
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
