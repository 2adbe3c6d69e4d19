import "../../../daemon/main/thread-pool.ts";
import "../../../daemon/main/short-pauses.ts";
import { readFileSync } from "node:fs";
import * as grpc from "@grpc/grpc-js";
import { peerIdentity } from "../../../daemon/mesh/channels.ts";
import { RaftDriver } from "../../../daemon/raft/driver.ts";
import { benchMeshId } from "./issue.ts";
import { encodePut, KeyValues } from "./key-values.ts";
import { KV, Maintenance } from "./kv.ts";
import type { PutRequest, PutResponse, ResponseHeader, StatusResponse } from "./kv.ts";
import { listen, transportOf } from "./member-network.ts";
import type { MemberConfig } from "./member-network.ts";

/*
 * One member of the benchmark's group: the daemon's listener, raft driver, log and transport, put together as the daemon
 * does, with keys and values in the place of the scheduler's state. Its config is in the file that is its one argument.
 * Says "ready" to its parent when it serves.
 */
const config = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as MemberConfig;
const transport = transportOf(config);
const driver = await RaftDriver.start({
  id: config.number,
  meshId: benchMeshId,
  folder: config.folder,
  transport,
  machine: new KeyValues(),
  bootstrap: { voters: config.members.map(({ number }) => number) },
  onFatal: (error) => {
    throw error;
  },
  report: (level, line) => console.error(level, line),
});
await listen(config, transport, (server) => {
  server.addService(KV.service, { Put: put });
  server.addService(Maintenance.service, { Status: status });
});
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
