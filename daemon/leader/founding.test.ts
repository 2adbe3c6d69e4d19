import { afterEach, describe, expect, it, vi } from "vitest";
import type { AddJoinToken, InitialiseMesh } from "../../scheduler/model/command.ts";
import { nodeId } from "../../scheduler/model/ids.ts";
import { MemoryStore } from "../store/memory-store.ts";
import { startFounding } from "./founding.ts";
import { NOW, propose } from "./leader.fixture.ts";

const initialise: InitialiseMesh = {
  kind: "initialiseMesh",
  at: NOW,
  meshId: "mesh",
  authority: { certificatePem: "certificate", privateKeyPem: "key" },
  founder: nodeId("n1"),
};
const token: AddJoinToken = {
  kind: "addJoinToken",
  at: NOW,
  id: "first",
  secretHash: "hash",
  expiresAt: NOW + 1,
};

let stop: () => void = () => {};

function found(store: MemoryStore): void {
  vi.useFakeTimers();
  stop = startFounding({ store, commands: [initialise, token], log: () => {} });
}

afterEach(() => {
  stop();
  vi.useRealTimers();
});

describe("founding", () => {
  it("makes the mesh and its first token", async () => {
    const store = new MemoryStore();
    found(store);
    await vi.advanceTimersByTimeAsync(100);
    expect(store.view().mesh?.id).toBe("mesh");
    expect([...store.view().tokens.keys()]).toEqual(["first"]);
  });

  it("that was interrupted after its first command goes on with the second", async () => {
    const store = new MemoryStore();
    await propose(store, initialise);
    // A token that somebody made meanwhile does not stand for the one that init printed.
    await propose(store, { ...token, id: "another" });
    const proposed = vi.spyOn(store, "propose");
    found(store);
    await vi.advanceTimersByTimeAsync(100);
    expect(proposed.mock.calls.map(([command]) => command.kind)).toEqual(["addJoinToken"]);
    expect([...store.view().tokens.keys()]).toEqual(["another", "first"]);
  });

  it("that is done proposes nothing", async () => {
    const store = new MemoryStore();
    await propose(store, initialise);
    await propose(store, token);
    const proposed = vi.spyOn(store, "propose");
    found(store);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(proposed).not.toHaveBeenCalled();
  });

  it("is tried again while its store can not take commands, until it is stopped", async () => {
    const store = new MemoryStore();
    store.setLeader(null);
    found(store);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(store.view().mesh).toBeNull();
    store.setLeader(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(store.view().tokens.size).toBe(1);
  });
});
