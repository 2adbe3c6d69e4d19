import * as grpc from "@grpc/grpc-js";
import type { RaftBatch__Output } from "../../proto/gen/gpumesh/v1/RaftBatch.ts";
import type { RaftHandlers } from "../../proto/gen/gpumesh/v1/Raft.ts";
import type { RaftReceipt } from "../../proto/gen/gpumesh/v1/RaftReceipt.ts";
import type { SnapshotPart__Output } from "../../proto/gen/gpumesh/v1/SnapshotPart.ts";
import type { SnapshotReceipt } from "../../proto/gen/gpumesh/v1/SnapshotReceipt.ts";
import type { Message } from "./core/core.ts";
import type { StateRecord } from "./raft-log.ts";
import type { SnapshotTransfer } from "./transport.ts";
import { fromWire } from "./wire.ts";

type MessagesCall = grpc.ServerDuplexStream<RaftBatch__Output, RaftReceipt>;
type SnapshotCall = grpc.ServerDuplexStream<SnapshotPart__Output, SnapshotReceipt>;

export interface RaftServiceOptions {
  /** The raft number of the caller, read from its certificate; null for a caller that has none. */
  readonly peerNumber: (call: MessagesCall | SnapshotCall) => number | null;
  /**
   * Whether this number is a member now. A member that was just added is told so by the directory before its own log
   * says it, or it could never receive that log.
   */
  readonly isMember: (member: number) => boolean;
  /** Takes a message that is well-formed and truly from the member it names. */
  readonly receive: (message: Message) => void;
  /** Takes a snapshot that is truly from the member it names; resolves when it has all of it. */
  readonly receiveSnapshot: (transfer: SnapshotTransfer) => Promise<void>;
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
          const wrong = refusalOfCaller(caller, options.isMember) ?? refusalOfMessage(caller, message, null);
          if (wrong !== null) refuse(wrong);
          else if (message.ok) options.receive(message.message);
        }
      });
      call.on("end", () => call.end());
      // A broken connection ends the stream; the peer dials again.
      call.on("error", () => {});
    },
    Snapshot(call: SnapshotCall): void {
      const caller = options.peerNumber(call);
      takeSnapshot(call, caller, options).then(
        () => call.end(),
        (error: unknown) => {
          const refusal = error instanceof RefusedStream ? error.refusal : abortedBy(error);
          options.log(`refused a snapshot of member ${caller ?? "unknown"}: ${refusal.details}`);
          call.emit("error", refusal);
        },
      );
    },
  };
}

class RefusedStream extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.details);
    this.refusal = refusal;
  }
}

async function takeSnapshot(
  call: SnapshotCall,
  caller: number | null,
  options: RaftServiceOptions,
): Promise<void> {
  const unwanted = refusalOfCaller(caller, options.isMember);
  if (unwanted !== null) throw new RefusedStream(unwanted);
  const parts: AsyncIterator<SnapshotPart__Output> = call[Symbol.asyncIterator]();
  const first = await parts.next();
  const header = first.done === true ? null : first.value.header;
  if (!header?.message) throw malformed("a snapshot begins without its header");
  const read = fromWire(header.message);
  const wrong = refusalOfMessage(caller, read, "MsgSnap");
  if (wrong !== null) throw new RefusedStream(wrong);
  if (!read.ok) throw malformed(read.fault);
  const totals = { count: header.recordCount, sum: header.recordSum };
  await options.receiveSnapshot({ message: read.message, totals, chunks: chunksOf(call, parts) });
}

async function* chunksOf(
  call: SnapshotCall,
  parts: AsyncIterator<SnapshotPart__Output>,
): AsyncGenerator<readonly StateRecord[]> {
  for (let next = await parts.next(); next.done !== true; next = await parts.next()) {
    const { chunk } = next.value;
    if (!chunk) throw malformed("a part of a snapshot is no chunk");
    yield chunk.records;
    // Whoever takes the chunks asks for the next one when this one is stored.
    call.write({});
  }
}

function malformed(details: string): RefusedStream {
  return new RefusedStream({ code: grpc.status.INVALID_ARGUMENT, details });
}

function abortedBy(error: unknown): Refusal {
  return { code: grpc.status.ABORTED, details: error instanceof Error ? error.message : String(error) };
}

function refusalOfCaller(caller: number | null, isMember: (member: number) => boolean): Refusal | null {
  if (caller !== null && isMember(caller)) return null;
  return { code: grpc.status.PERMISSION_DENIED, details: "the caller is not a member of the raft group" };
}

/** A snapshot comes on a stream of its own: `alone` names the one type that is taken there, and nowhere else. */
function refusalOfMessage(
  caller: number | null,
  read: ReturnType<typeof fromWire>,
  alone: "MsgSnap" | null,
): Refusal | null {
  if (!read.ok) return { code: grpc.status.INVALID_ARGUMENT, details: read.fault };
  const { type, from } = read.message;
  if ((type === "MsgSnap") !== (alone === "MsgSnap")) {
    return { code: grpc.status.INVALID_ARGUMENT, details: `a ${type} came on the wrong stream` };
  }
  if (from === caller) return null;
  const details = `a message names ${from} as its sender`;
  return { code: grpc.status.PERMISSION_DENIED, details };
}
