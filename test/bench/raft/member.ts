import "../../../daemon/main/thread-pool.ts";
import { readFileSync } from "node:fs";
import * as grpc from "@grpc/grpc-js";
import { openChannel, peerIdentity, serverOptions } from "../../../daemon/mesh/channels.ts";
import { createListener } from "../../../daemon/mesh/listener.ts";
import { RaftDriver } from "../../../daemon/raft/driver.ts";
import { GrpcTransport } from "../../../daemon/raft/grpc-transport.ts";
import { raftService } from "../../../daemon/raft/raft-service.ts";
import type { RaftPeer } from "../../../daemon/raft/transport.ts";
import type { Credentials } from "../../../daemon/security/credentials-store.ts";
import { encodePut, KeyValues } from "./key-values.ts";
import { KV, Maintenance } from "./kv.ts";
import type { PutRequest, PutResponse, ResponseHeader, StatusResponse } from "./kv.ts";

/** What a member is told in the file that is its one argument. */
export interface MemberConfig {
  readonly number: number;
  readonly folder: string;
  readonly host: string;
  readonly port: number;
  readonly identity: Credentials;
  /** All members, by number. */
  readonly members: readonly (RaftPeer & { readonly number: number })[];
}

/*
 * One member of the benchmark's group: the daemon's listener, raft driver, log and transport, put together as the daemon
 * does, with keys and values in the place of the scheduler's state. Says "ready" to its parent when it serves.
 */
const config = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as MemberConfig;
const { identity, members } = config;
const numbers = new Map(members.map(({ name, number }) => [name, number]));

const transport = new GrpcTransport({
  openChannel: ({ name, address }) => openChannel({ address, peerName: name, identity }),
});
transport.setPeers(
  new Map(members.filter(({ number }) => number !== config.number).map((peer) => [peer.number, peer])),
);
const driver = await RaftDriver.start({
  id: config.number,
  meshId: "bench",
  folder: config.folder,
  transport,
  machine: new KeyValues(),
  bootstrap: { voters: members.map(({ number }) => number) },
  onFatal: (error) => {
    throw error;
  },
  report: (level, line) => console.error(level, line),
});

const mutual = new grpc.Server(serverOptions);
const raft = raftService({
  peerNumber: (call) => numbers.get(peerIdentity(call)?.name ?? "") ?? null,
  isMember: (number) => members.some((member) => member.number === number),
  gate: () => transport.gate,
  receive: (message) => transport.deliver(message),
  receiveSnapshot: (transfer) => transport.deliverSnapshot(transfer),
  brokenOff: (number) => transport.brokenOff(number),
});
raft.addTo(mutual);
mutual.addService(KV.service, { Put: put });
mutual.addService(Maintenance.service, { Status: status });
const listener = createListener({
  host: config.host,
  port: config.port,
  identity,
  mutual,
  joining: new grpc.Server(serverOptions),
  onEndedByPeer: raft.connectionEnded,
  onRefused: (reason, remote) => console.error(`refused ${remote}: ${reason}`),
});
await listener.start();
process.on("SIGTERM", () => process.exit());
process.send?.("ready");

function put(
  call: grpc.ServerUnaryCall<PutRequest, PutResponse>,
  reply: grpc.sendUnaryData<PutResponse>,
): void {
  // As the daemon asks it of each call.
  if (peerIdentity(call) === null) return reply({ code: grpc.status.UNAUTHENTICATED });
  return void driver.propose(encodePut(call.request)).then(
    ({ index }) => reply(null, { header: headerAt(index) }),
    (error: unknown) => reply({ code: grpc.status.UNAVAILABLE, details: String(error) }),
  );
}

function status(
  _call: grpc.ServerUnaryCall<object, StatusResponse>,
  reply: grpc.sendUnaryData<StatusResponse>,
): void {
  const { leader } = driver.standing();
  reply(null, { header: headerAt(0), version: "gpumesh", leader: String(leader ?? 0) });
}

function headerAt(index: number): ResponseHeader {
  return {
    memberId: String(config.number),
    revision: String(index),
    raftTerm: String(driver.standing().term),
  };
}
