import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { RaftDriver } from "./driver.ts";
import { AppliedList, FAST_TIMING, KEEP_LITTLE } from "./driver.fixture.ts";
import { GrpcTransport } from "./grpc-transport.ts";
import { openTestChannel, serveRaft } from "./grpc.fixture.ts";
import type { RaftPeer } from "./transport.ts";

const MEMBERS = [1, 2, 3];

let closers: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closers.toReversed()) await close();
  closers = [];
});

it("three members agree over gRPC, also after the leader is gone and when it comes back far behind", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gpumesh-grpc-"));
  closers.push(() => rm(folder, { recursive: true }));
  const peers = new Map<number, RaftPeer>();
  const transports = new Map<number, GrpcTransport>();
  for (const id of MEMBERS) {
    const { port, server } = await serveRaft(0, {
      isMember: (member) => MEMBERS.includes(member),
      gate: () => transports.get(id)?.gate ?? null,
      receive: (message) => transports.get(id)?.deliver(message),
      receiveSnapshot: (transfer) => transports.get(id)!.deliverSnapshot(transfer),
    });
    closers.push(() => server.forceShutdown());
    peers.set(id, { name: `member-${id}`, address: `127.0.0.1:${port}` });
  }
  const applied = new Map<number, string[]>();
  const drivers = new Map<number, RaftDriver>();
  const start = async (id: number): Promise<void> => {
    const transport = new GrpcTransport({ openChannel: (peer) => openTestChannel(peer, id) });
    transports.set(id, transport);
    applied.set(id, []);
    transport.setPeers(new Map([...peers].filter(([member]) => member !== id)));
    const driver = await RaftDriver.start({
      id,
      meshId: "mesh",
      folder: join(folder, String(id)),
      transport,
      machine: new AppliedList(applied.get(id)!),
      bootstrap: { voters: MEMBERS },
      onFatal: (error) => {
        throw error;
      },
      timing: FAST_TIMING,
      compaction: KEEP_LITTLE,
    });
    drivers.set(id, driver);
    closers.push(() => driver.stop());
  };
  for (const id of MEMBERS) await start(id);
  const leader = (): Promise<[number, RaftDriver]> =>
    vi.waitFor(
      () => {
        const leading = [...drivers].find(([, driver]) => driver.leadsWithAppliedNoop());
        if (leading === undefined) throw new Error("there is no leader");
        return leading;
      },
      { timeout: 10_000, interval: 5 },
    );
  const [first, driver] = await leader();
  const wanted = Array.from({ length: 500 }, (_, nth) => `p${nth}`);
  await Promise.all(wanted.map((text) => driver.propose(Buffer.from(text))));
  await driver.stop();
  drivers.delete(first);
  const [, next] = await leader();
  const later = Array.from({ length: 100 }, (_, nth) => `later ${nth}`);
  for (const text of later) await next.propose(Buffer.from(text));
  await start(first);
  await next.propose(Buffer.from("end"));
  await vi.waitFor(() => {
    for (const id of drivers.keys()) expect(texts(applied.get(id)!)).toEqual([...wanted, ...later, "end"]);
  });
});

function texts(applied: readonly string[]): string[] {
  return applied.map((line) => line.slice(line.indexOf(":") + 1));
}
