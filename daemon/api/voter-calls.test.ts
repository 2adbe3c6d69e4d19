import { status } from "@grpc/grpc-js";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { nodeId } from "../../scheduler/model/ids.ts";
import { hashSecret } from "../security/join-token.ts";
import type { MemoryStore } from "../store/memory-store.ts";
import { contextOf, machine, NOW, propose, SECRET, storeOfMesh } from "./api.fixture.ts";
import { configureMesh, listVoters, setVote, transferLeader } from "./voter-calls.ts";

let store: MemoryStore;

beforeEach(async () => {
  store = await storeOfMesh();
  for (const name of ["two", "three"]) {
    const admission = { tokenId: "t1", secretHash: hashSecret(SECRET), requestId: `admit-${name}` };
    await propose(store, { kind: "admitNode", at: NOW, node: nodeId(name), ...admission });
    await propose(store, { kind: "registerNode", at: NOW, facts: machine(name) });
  }
  await store.changeMembers([2, 3].map((member) => ({ kind: "addVoter", member })));
});

const vote = (node: string, wish: string, requestId = "request-1") =>
  setVote(contextOf(store), { node, wish, requestId });

describe("the voters", () => {
  it("are shown as the leader sees them, with what it is doing about them", async () => {
    await store.changeMembers([{ kind: "remove", member: 3 }]);
    const shown = await listVoters(contextOf(store), {});
    expect(shown).toMatchObject({
      members: [
        { name: "one", number: 1, role: "voter", leader: true, behind: 0, silentMs: 0, wish: "automatic" },
        { name: "two", number: 2, role: "voter", leader: false },
      ],
      wanted: ["one", "two", "three"],
      doing: "three gets the log",
      voterReplaceAfterMs: 300_000,
      leftBehind: [],
    });
  });

  it("are not shown without a confirmed round", async () => {
    store.setLeader(null);
    await expect(listVoters(contextOf(store), {})).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });
});

describe("a wish for a node", () => {
  it("stands in the state; an old request that comes again undoes nothing", async () => {
    await vote("two", "preferred");
    await vote("two", "automatic", "request-2");
    await vote("two", "preferred");
    expect(store.view().nodes.get(nodeId("two"))?.vote).toBe("automatic");
  });

  it("is refused with the arithmetic where it would cost the majority", async () => {
    await expect(vote("two", "barred")).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: expect.stringContaining("demoting two leaves 2 voters, one, three") as string,
    });
    expect(store.view().nodes.get(nodeId("two"))?.vote).toBe("automatic");
  });

  it("is refused for a node that is not there, and in other words", async () => {
    await expect(vote("nine", "preferred")).rejects.toMatchObject({ code: status.NOT_FOUND });
    await expect(vote("two", "maybe")).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    await expect(vote("two", "preferred", "x")).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  });
});

describe("the lead", () => {
  const transfer = (node: string, term = 0) => transferLeader(contextOf(store), { node, term });

  it("goes to the voter that is named, or to any", async () => {
    expect(await transfer("three")).toEqual({ leader: "three" });
    expect(store.leadership().leader).toBe(3);
    store.setLeader(1);
    expect(await transfer("")).toEqual({ leader: "two" });
  });

  it("stays when it was handed over in that term already, or is there", async () => {
    const { term } = store.leadership();
    store.setLeader(2);
    store.setLeader(1);
    expect(await transfer("", term)).toEqual({ leader: "one" });
    expect(await transfer("one")).toEqual({ leader: "one" });
    expect(store.leadership().leader).toBe(1);
  });

  it("goes to nobody who can not lead", async () => {
    const refused = { code: status.FAILED_PRECONDITION };
    await expect(transfer("nine")).rejects.toMatchObject(refused);
    const progress = new Map([2, 3].map((member) => [member, { match: 0, silentMs: 9_000 }]));
    const silent = vi.spyOn(store, "memberProgress").mockReturnValue(progress);
    await expect(transfer("two")).rejects.toMatchObject(refused);
    await expect(transfer("")).rejects.toMatchObject(refused);
    silent.mockRestore();
    vi.spyOn(store, "handOver").mockResolvedValue(false);
    await expect(transfer("two")).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });
});

describe("the mesh's settings", () => {
  it("are changed within their bounds", async () => {
    const requestId = "request-1";
    await configureMesh(contextOf(store), { requestId, voterReplaceAfterMs: 2_000 });
    expect(store.view().mesh?.voterReplaceAfterMs).toBe(2_000);
    for (const voterReplaceAfterMs of [999, 1e12]) {
      await expect(
        configureMesh(contextOf(store), { requestId: "request-2", voterReplaceAfterMs }),
      ).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    }
  });
});
