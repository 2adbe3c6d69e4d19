import { afterEach, describe, expect, it } from "vitest";
import { nodeId } from "../../scheduler/model/ids.ts";
import { Directory } from "../mesh/directory.ts";
import type { MemoryStore } from "../store/memory-store.ts";
import { NOW, register, SessionServer, storeOfMesh, submit, until } from "./leader.fixture.ts";
import { Leader } from "./leader.ts";

let stops: (() => void)[] = [];

afterEach(() => {
  for (const stop of stops.toReversed()) stop();
  stops = [];
});

async function led(store: MemoryStore): Promise<{
  readonly leader: Leader;
  readonly server: SessionServer;
  readonly directory: Directory;
}> {
  const directory = new Directory("mesh", [
    { name: "n1", number: 1, address: "n1:1", raftRole: "voter" },
    { name: "n2", number: 2, address: "n2:1", raftRole: "client" },
  ]);
  const leader = new Leader({ store, directory, now: () => NOW, founding: null, log: () => {} });
  const server = new SessionServer();
  await server.start((stream, name) => leader.acceptSession(stream, name));
  stops.push(
    () => server.stop(),
    () => leader.stop(),
  );
  return { leader, server, directory };
}

describe("the leader", () => {
  it("sends daemons on to the one that leads, or says that nobody does", async () => {
    const store = await storeOfMesh("n1", "n2");
    const { server } = await led(store);
    store.setLeader(2);
    const daemon = server.dial("n3");
    await until(() => daemon.ended);
    expect(daemon.received).toMatchObject([{ notLeader: { leader: "n2", address: "n2:1" } }]);
    store.setLeader(null);
    const again = server.dial("n3");
    await until(() => again.ended);
    expect(again.received).toMatchObject([{ notLeader: { leader: "", address: "" } }]);
  });

  it("ends its sessions when it is deposed, and opens new ones in its next term", async () => {
    const store = await storeOfMesh("n1", "n2");
    const { server } = await led(store);
    const daemon = server.dial("n2");
    daemon.hello();
    await daemon.welcomed();
    store.setLeader(2);
    await until(() => daemon.ended);
    store.setLeader(1);
    const again = server.dial("n2");
    again.hello();
    await again.welcomed();
    expect(again.received[0]?.welcome?.term).toBe(store.leadership().term);
  });

  it("begins anew in another term, though it never heard that it was deposed", async () => {
    const store = await storeOfMesh("n1", "n2");
    const { server } = await led(store);
    const daemon = server.dial("n2");
    daemon.hello();
    await daemon.welcomed();
    store.setLeader(1);
    await until(() => daemon.ended);
  });

  it("schedules only while it leads", async () => {
    const store = await storeOfMesh("n1");
    await register(store, "n1");
    await led(store);
    const first = await submit(store);
    await until(() => store.view().jobs.get(first)?.state.kind === "starting");
    store.setLeader(null);
    store.setLeader(1);
    const second = await submit(store);
    await until(() => store.view().jobs.get(second)?.state.kind === "starting");
  });

  it("keeps the directory true to the state and to the raft members", async () => {
    const store = await storeOfMesh("n1", "n2");
    const { directory } = await led(store);
    expect(directory.byName("n2")).toMatchObject({ number: 2, address: "n2:1", raftRole: "client" });
    await store.changeMembers([{ kind: "addLearner", member: 2 }]);
    await register(store, "n2");
    await until(() => directory.byName("n2")?.address === "n2:7400");
    expect(directory.byName("n2")?.raftRole).toBe("learner");
    expect(store.view().nodes.get(nodeId("n2"))?.state.kind).toBe("ready");
  });

  it("leaves nothing running once stopped", async () => {
    const store = await storeOfMesh("n1");
    const { leader } = await led(store);
    leader.stop();
    store.setLeader(null);
    store.setLeader(1);
    await register(store, "n1");
    const job = await submit(store);
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(store.view().jobs.get(job)?.state.kind).toBe("queued");
  });
});
