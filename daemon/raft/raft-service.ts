import * as grpc from "@grpc/grpc-js";
import type { RaftBatch__Output } from "../../proto/gen/gpumesh/v1/RaftBatch.ts";
import type { RaftHandlers } from "../../proto/gen/gpumesh/v1/Raft.ts";
import type { RaftReceipt } from "../../proto/gen/gpumesh/v1/RaftReceipt.ts";
import type { Message } from "./core/core.ts";
import { fromWire } from "./wire.ts";

type MessagesCall = grpc.ServerDuplexStream<RaftBatch__Output, RaftReceipt>;

export interface RaftServiceOptions {
  /** The raft number of the caller, read from its certificate; null for a caller that has none. */
  readonly peerNumber: (call: MessagesCall) => number | null;
  /**
   * Whether this number is a member now. A member that was just added is told so by the directory before its own log
   * says it, or it could never receive that log.
   */
  readonly isMember: (member: number) => boolean;
  /** Takes a message that is well-formed and truly from the member it names. */
  readonly receive: (message: Message) => void;
  /** Takes one line for each stream that is refused. */
  readonly log: (line: string) => void;
}

type Refusal = { readonly code: grpc.status; readonly details: string };

/**
 * The receiving half of raft over gRPC. A stream is ended with PERMISSION_DENIED when its caller is no current member
 * or sends in another's name, and with INVALID_ARGUMENT when a message is malformed; none of its later messages counts.
 */
export function raftService(options: RaftServiceOptions): RaftHandlers {
  return {
    Messages(call: MessagesCall): void {
      const caller = options.peerNumber(call);
      let refused = false;
      const refuse = (refusal: Refusal): void => {
        refused = true;
        options.log(`refused the raft stream of member ${caller ?? "unknown"}: ${refusal.details}`);
        call.emit("error", refusal);
      };
      const refusal = refusalOfCaller(caller, options.isMember);
      if (refusal !== null) return refuse(refusal);
      // The caller waits for these headers before it sends.
      call.sendMetadata(new grpc.Metadata());
      call.on("data", (batch: RaftBatch__Output) => {
        for (const wire of batch.messages) {
          if (refused) return;
          const message = fromWire(wire);
          const wrong = refusalOfCaller(caller, options.isMember) ?? refusalOfMessage(caller, message);
          if (wrong !== null) refuse(wrong);
          else if (message.ok) options.receive(message.message);
        }
      });
      call.on("end", () => call.end());
      // A broken connection ends the stream; the peer dials again.
      call.on("error", () => {});
    },
  };
}

function refusalOfCaller(caller: number | null, isMember: (member: number) => boolean): Refusal | null {
  if (caller !== null && isMember(caller)) return null;
  return { code: grpc.status.PERMISSION_DENIED, details: "the caller is not a member of the raft group" };
}

function refusalOfMessage(caller: number | null, read: ReturnType<typeof fromWire>): Refusal | null {
  if (!read.ok) return { code: grpc.status.INVALID_ARGUMENT, details: read.fault };
  if (read.message.from === caller) return null;
  const details = `a message names ${read.message.from} as its sender`;
  return { code: grpc.status.PERMISSION_DENIED, details };
}
