import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { canonicalState } from "../../scheduler/state/digest.ts";
import { MemoryNetwork } from "../raft/memory-transport.ts";
import { RaftStore } from "./raft-store.ts";
import { storeContract, tokenCommand } from "./store-contract.ts";

const TIMING = { tickMs: 10, electionTicks: 10, heartbeatTicks: 2 };
const MEMBERS = [1, 2, 3];

let folder: string;
let network: MemoryNetwork;
let stores: Map<number, RaftStore>;

async function openGroup(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), "gpumesh-store-"));
  network = new MemoryNetwork();
  stores = new Map();
  for (const id of MEMBERS) await start(id);
}

async function start(id: number): Promise<RaftStore> {
  const store = await RaftStore.start({
    id,
    meshId: "mesh",
    folder: join(folder, String(id)),
    transport: network.join(id),
    bootstrap: { voters: MEMBERS },
    onFatal: (error) => {
      throw error;
    },
    timing: TIMING,
    compaction: {
      entriesKeptMin: 10,
      entriesKeptBytesMax: 2 ** 20,
      compactedPerBatchMin: 5,
      compactedPerBatchMax: 50,
      heldEntriesMax: 500,
      heldBytesMax: 2 ** 20,
    },
  });
  stores.set(id, store);
  return store;
}

async function closeGroup(): Promise<void> {
  for (const store of stores.values()) await store.stop();
  await rm(folder, { recursive: true });
}

function leader(): Promise<RaftStore> {
  return vi.waitFor(
    () => {
      const leading = [...stores.values()].find((store) => store.leadership().leads);
      if (leading === undefined) throw new Error("there is no leader");
      return leading;
    },
    { timeout: 10_000, interval: 5 },
  );
}

storeContract("RaftStore", async () => {
  await openGroup();
  const store = await leader();
  return {
    store,
    depose: async () => {
      network.partition([store.leadership().leader!]);
      await vi.waitFor(() => expect(store.leadership().leader).toBeNull(), { timeout: 5000 });
    },
    close: closeGroup,
  };
});

describe("RaftStore", () => {
  beforeEach(openGroup);
  afterEach(closeGroup);

  it("gives a follower what others had acknowledged before it asks", async () => {
    const leading = await leader();
    const follower = [...stores.values()].find((store) => store !== leading)!;
    for (let nth = 1; nth <= 20; nth++) {
      await leading.propose(tokenCommand(nth));
      await follower.readBarrier();
      expect(follower.view().tokens.size).toBe(nth);
    }
  });

  it("has the same state on every member, also on one that started again", async () => {
    const leading = await leader();
    await Promise.all(Array.from({ length: 200 }, (_, nth) => leading.propose(tokenCommand(nth))));
    const id = MEMBERS.find((member) => stores.get(member) !== leading)!;
    await stores.get(id)!.stop();
    await start(id);
    for (const store of stores.values()) await store.readBarrier();
    const states = [...stores.values()].map((store) => canonicalState(store.view()));
    expect(leading.view().tokens.size).toBe(200);
    expect(new Set(states).size).toBe(1);
  });

  it("has the same state on a member that got it by a snapshot, and tells its watchers", async () => {
    const leading = await leader();
    const { leader: leaderId } = leading.leadership();
    const id = MEMBERS.find((member) => member !== leaderId)!;
    const behind = stores.get(id)!;
    network.partition(
      [id],
      MEMBERS.filter((member) => member !== id),
    );
    for (let nth = 0; nth < 150; nth++) await leading.propose(tokenCommand(nth));
    expect(behind.view().tokens.size).toBe(0);
    let told = 0;
    behind.watch(() => void (told = behind.view().tokens.size));
    network.heal();
    await vi.waitFor(() => expect(told).toBe(150), { timeout: 5000 });
    await (await leader()).propose(tokenCommand(151));
    for (const store of stores.values()) await store.readBarrier();
    const states = [...stores.values()].map((store) => canonicalState(store.view()));
    expect(new Set(states).size).toBe(1);
  });

  it("does not know what became of a proposal that takes too long", async () => {
    const leading = await leader();
    const { leader: id } = leading.leadership();
    network.partition(
      [id!],
      MEMBERS.filter((member) => member !== id),
    );
    await expect(leading.propose(tokenCommand(1), { timeoutMs: 20 })).rejects.toMatchObject({
      code: "unknown-outcome",
    });
  });
});
