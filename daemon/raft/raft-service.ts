import * as grpc from "@grpc/grpc-js";
import type { RaftBatch__Output } from "../../proto/gen/gpumesh/v1/RaftBatch.ts";
import type { RaftHandlers } from "../../proto/gen/gpumesh/v1/Raft.ts";
import type { RaftReceipt } from "../../proto/gen/gpumesh/v1/RaftReceipt.ts";
import { loadMesh } from "../../proto/load.ts";
import type { Message } from "./core/core.ts";
import { helloToWire } from "./hello-wire.ts";
import { IncomingStream } from "./incoming-stream.ts";
import type { IncomingOptions } from "./incoming-stream.ts";
import type { PeerGate } from "./peer-gate.ts";
import { OpenStreams } from "./open-streams.ts";
import { RefusedStream, statusOf } from "./refused-stream.ts";
import { takeSnapshot } from "./snapshot-intake.ts";
import type { SnapshotCall } from "./snapshot-intake.ts";
import { readable, tolerant } from "./tolerant-definition.ts";
import type { SnapshotTransfer } from "./transport.ts";

type MessagesCall = grpc.ServerDuplexStream<RaftBatch__Output, RaftReceipt>;

export interface RaftServiceOptions extends IncomingOptions {
  /** The raft number of the caller, read from its certificate; null for a caller that has none. */
  readonly peerNumber: (call: MessagesCall | SnapshotCall) => number | null;
  /**
   * Whether this number is a member now. A member that was just added is told so by the directory before its own log
   * says it, or it could never receive that log.
   */
  readonly isMember: (member: number) => boolean;
  /** Judges who is let in; null while this daemon is no running member itself. */
  readonly gate: () => PeerGate | null;
  /** Takes a message that is well-formed and truly from the member it names. */
  readonly receive: (message: Message) => void;
  /** Takes a snapshot that is truly from the member it names; resolves when it has all of it. */
  readonly receiveSnapshot: (transfer: SnapshotTransfer) => Promise<void>;
  /** A member's process or its machine broke the stream of its messages off, all of which were given to `receive`. */
  readonly brokenOff: (member: number) => void;
}

export interface RaftService {
  readonly addTo: (server: grpc.Server) => void;
  /** To be told when a peer has ended a connection, by FIN or RST, before the streams on it end for that reason. */
  readonly connectionEnded: (remoteAddress: string) => void;
}

/**
 * The receiving half of raft over gRPC. A stream is ended with the reason when its caller is no current member, fails the
 * gate, or sends what no member would; none of its later messages counts. Only for what is larger than any message of the
 * mesh gRPC itself ends the stream, before it comes here.
 */
export function raftService(options: RaftServiceOptions): RaftService {
  const streams = new OpenStreams(options.brokenOff);
  const handlers: RaftHandlers = {
    Messages(call: MessagesCall): void {
      const caller = options.peerNumber(call);
      const stream = new IncomingStream(caller, options);
      let ended = false;
      const end = (error: unknown): void => {
        if (!ended) refuse(call, `the raft stream of member ${caller ?? "unknown"}`, error, options);
        ended = true;
      };
      call.on("data", (batch: RaftBatch__Output) => {
        if (ended) return;
        try {
          const { hello } = readable(batch);
          if (stream.open) for (const message of stream.read(batch)) options.receive(message);
          else stream.greet(hello).then((answer) => call.write({ hello: helloToWire(answer) }), end);
        } catch (error) {
          if (!(error instanceof RefusedStream)) throw error;
          end(error);
        }
      });
      if (caller !== null) streams.opened(call, caller);
      call.on("end", () => call.end());
      // A broken connection ends the stream; the peer dials again.
      call.on("error", () => {});
    },
    Snapshot(call: SnapshotCall): void {
      const caller = options.peerNumber(call);
      takeSnapshot(call, new IncomingStream(caller, options), options.receiveSnapshot).then(
        () => call.end(),
        (error: unknown) => refuse(call, `a snapshot of member ${caller ?? "unknown"}`, error, options),
      );
    },
  };
  return {
    addTo: (server) => server.addService(tolerant(loadMesh().Raft.service), handlers),
    connectionEnded: (remoteAddress) => streams.cut(remoteAddress),
  };
}

function refuse(
  call: MessagesCall | SnapshotCall,
  what: string,
  error: unknown,
  options: RaftServiceOptions,
): void {
  if (!(error instanceof RefusedStream)) {
    const details = error instanceof Error ? error.message : String(error);
    call.emit("error", { code: grpc.status.ABORTED, details });
    return;
  }
  const gate = options.gate();
  gate?.refusals.add(what, error.refusal);
  call.emit("error", statusOf(error.refusal, gate?.leads() ?? false));
}
