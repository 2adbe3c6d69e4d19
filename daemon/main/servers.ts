import * as grpc from "@grpc/grpc-js";
import { jobId } from "../../scheduler/model/ids.ts";
import { loadApi, loadMesh } from "../../proto/load.ts";
import type { HeldLogChunk } from "../../proto/gen/gpumesh/v1/HeldLogChunk.ts";
import type { PeerHandlers } from "../../proto/gen/gpumesh/v1/Peer.ts";
import type { ReadHeldLogRequest } from "../../proto/gen/gpumesh/v1/ReadHeldLogRequest.ts";
import type { Agent } from "../agent/agent.ts";
import { readHeldLog } from "../agent/held-log.ts";
import { serveShell } from "../agent/remote-shell/shell-service.ts";
import { apiService } from "../api/api-service.ts";
import { CallError, callErrorOf } from "../api/call-error.ts";
import { joinHandler } from "../api/join-service.ts";
import type { ApiContext } from "../api/api-context.ts";
import { abortedBy, writeChunks } from "../api/read-log.ts";
import { peerIdentity, serverOptions } from "../mesh/channels.ts";
import { raftService } from "../raft/raft-service.ts";
import type { Replica } from "./replica.ts";

export interface ServersOptions {
  readonly self: string;
  readonly context: ApiContext;
  readonly agent: Agent;
  readonly replica: () => Replica | null;
  readonly leaderName: () => string | null;
  readonly log: (line: string) => void;
}

/** The two gRPC servers of a daemon: one for members of the mesh, one that only lets machines join. */
export function createServers(options: ServersOptions): {
  readonly mutual: grpc.Server;
  readonly joining: grpc.Server;
  /** A member ended this connection from its side. */
  readonly connectionEnded: (remoteAddress: string) => void;
} {
  const { context, leaderName, self } = options;
  const mesh = loadMesh();
  const mutual = new grpc.Server(serverOptions);
  const heldLogs = (request: ReadHeldLogRequest, signal: AbortSignal): AsyncIterable<HeldLogChunk> =>
    heldLog(options.agent, request, signal);
  mutual.addService(loadApi().Api.service, apiService({ ...context, leaderName, heldLogs, self }));
  mutual.addService(mesh.Peer.service, peerService(options));
  const raft = raftService({
    peerNumber: (call) => context.directory.byName(daemonName(call) ?? "")?.number ?? null,
    isMember: (number) => options.replica()?.isMember(number) ?? false,
    gate: () => options.replica()?.gate ?? null,
    receive: (message) => options.replica()?.deliver(message),
    receiveSnapshot: async (transfer) => {
      const replica = options.replica();
      if (replica === null) throw new Error("this daemon is no raft member yet");
      await replica.deliverSnapshot(transfer);
    },
    brokenOff: (number) => options.replica()?.brokenOff(number),
  });
  raft.addTo(mutual);
  const joining = new grpc.Server(serverOptions);
  joining.addService(mesh.Join.service, { Join: joinHandler(context, leaderName) });
  return { mutual, joining, connectionEnded: raft.connectionEnded };
}

function peerService(options: ServersOptions): PeerHandlers {
  const { context, leaderName } = options;
  const admit = joinHandler(context, () => null);
  return {
    Session: (call) => {
      const name = daemonName(call);
      if (name === null) return call.emit("error", onlyDaemons());
      const replica = options.replica();
      if (replica !== null) return replica.leader.acceptSession(call, name);
      const leader = leaderName() ?? "";
      call.write({ notLeader: { leader, address: context.directory.byName(leader)?.address ?? "" } });
      return call.end();
    },
    Shell: (call) => {
      if (daemonName(call) === null) call.emit("error", onlyDaemons());
      else serveShell(options.agent, call);
    },
    Admit: (call, callback) => {
      if (daemonName(call) === null) callback(onlyDaemons());
      else admit(call, callback);
    },
    ReadHeldLog: (call) => {
      if (daemonName(call) === null) return call.emit("error", onlyDaemons());
      writeChunks(heldLog(options.agent, call.request, abortedBy(call)), call).catch((error: unknown) =>
        call.emit("error", callErrorOf(error)),
      );
      return undefined;
    },
  };
}

async function* heldLog(
  agent: Agent,
  request: ReadHeldLogRequest,
  signal: AbortSignal,
): AsyncGenerator<HeldLogChunk, void> {
  const job = jobId(Number(request.jobId));
  const attempt = request.attempt ?? 0;
  const part = agent.part(job, attempt);
  const command = request.command ?? "";
  if (part === undefined || part.log(command) === null) {
    const where = `attempt ${attempt} of job ${job}`;
    throw new CallError(grpc.status.NOT_FOUND, `this node holds no log of ${command} of ${where}`);
  }
  let offset = Number(request.offset ?? 0);
  const stream = request.stream === "stderr" ? "stderr" : "stdout";
  const pieces = readHeldLog(() => part.log(command), {
    stream,
    offset,
    follow: request.follow ?? false,
    signal,
  });
  for await (const piece of pieces) {
    offset = piece.offset + piece.data.length;
    yield { offset: piece.offset, data: piece.data, end: false };
  }
  yield { offset, data: Buffer.alloc(0), end: part.log(command)?.ended ?? true };
}

function daemonName(call: Parameters<typeof peerIdentity>[0]): string | null {
  const identity = peerIdentity(call);
  return identity?.role === "daemon" ? identity.name : null;
}

function onlyDaemons(): CallError {
  return new CallError(grpc.status.PERMISSION_DENIED, "only daemons of this mesh may call this");
}
