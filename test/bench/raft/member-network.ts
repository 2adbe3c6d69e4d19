import * as grpc from "@grpc/grpc-js";
import { openChannel, peerIdentity, serverOptions } from "../../../daemon/mesh/channels.ts";
import { createListener } from "../../../daemon/mesh/listener.ts";
import { GrpcTransport } from "../../../daemon/raft/grpc-transport.ts";
import { raftService } from "../../../daemon/raft/raft-service.ts";
import type { RaftPeer } from "../../../daemon/raft/transport.ts";
import type { Credentials } from "../../../daemon/security/credentials-store.ts";

/** What a member of a benchmark's group is told of itself and of the others. */
export interface MemberConfig {
  readonly number: number;
  readonly folder: string;
  readonly host: string;
  readonly port: number;
  readonly identity: Credentials;
  /** All members, by number. */
  readonly members: readonly (RaftPeer & { readonly number: number })[];
}

/** The member's way to the others. */
export function transportOf({ number, identity, members }: MemberConfig): GrpcTransport {
  const transport = new GrpcTransport({
    openChannel: ({ name, address }) => openChannel({ address, peerName: name, identity }),
  });
  const others = members.filter((member) => member.number !== number);
  transport.setPeers(new Map(others.map((peer) => [peer.number, peer])));
  return transport;
}

/** The others' way to the member, put together as the daemon does, with what `addServices` adds behind mutual TLS. */
export async function listen(
  config: MemberConfig,
  transport: GrpcTransport,
  addServices: (server: grpc.Server) => void = () => {},
): Promise<void> {
  const { host, port, identity, members } = config;
  const numbers = new Map(members.map(({ name, number }) => [name, number]));
  const raft = raftService({
    peerNumber: (call) => numbers.get(peerIdentity(call)?.name ?? "") ?? null,
    isMember: (number) => members.some((member) => member.number === number),
    gate: () => transport.gate,
    receive: (message) => transport.deliver(message),
    receiveSnapshot: (transfer) => transport.deliverSnapshot(transfer),
    brokenOff: (number) => transport.brokenOff(number),
  });
  const mutual = new grpc.Server(serverOptions);
  raft.addTo(mutual);
  addServices(mutual);
  const listener = createListener({
    host,
    port,
    identity,
    mutual,
    joining: new grpc.Server(serverOptions),
    onEndedByPeer: raft.connectionEnded,
    onRefused: (reason, remote) => console.error(`refused ${remote}: ${reason}`),
  });
  await listener.start();
}
