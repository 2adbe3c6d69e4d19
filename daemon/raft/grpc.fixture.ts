import * as grpc from "@grpc/grpc-js";
import { raftService } from "./raft-service.ts";
import type { RaftServiceOptions } from "./raft-service.ts";
import type { RaftPeer } from "./transport.ts";

// Tests only: a header over plaintext on loopback says what a certificate says in the product.
const CALLER_HEADER = "test-caller";

/** Serves a member's raft streams on loopback and believes each caller the number that it gives. */
export async function serveRaft(
  port: number,
  options: Omit<RaftServiceOptions, "peerNumber" | "brokenOff">,
): Promise<{ readonly port: number; readonly server: grpc.Server }> {
  const server = new grpc.Server();
  const raft = raftService({
    brokenOff: () => {},
    ...options,
    peerNumber: (call) => Number(call.metadata.get(CALLER_HEADER)[0] ?? 0) || null,
  });
  raft.addTo(server);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error, at) =>
      error === null ? resolve(at) : reject(error),
    );
  });
  return { port: bound, server };
}

/** A channel all of whose calls are made by this member. */
export function openTestChannel(peer: RaftPeer, caller: number): grpc.Channel {
  const credentials = grpc.credentials.createInsecure();
  const channel = new grpc.Channel(peer.address, credentials, { "grpc.use_local_subchannel_pool": 1 });
  const createCall = channel.createCall.bind(channel);
  channel.createCall = (...args) => {
    const call = createCall(...args);
    const start = call.start.bind(call);
    call.start = (metadata, listener) => {
      metadata.set(CALLER_HEADER, String(caller));
      start(metadata, listener);
    };
    return call;
  };
  return channel;
}
