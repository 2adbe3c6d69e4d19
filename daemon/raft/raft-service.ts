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
  /** A member's process or its machine broke the stream of its messages off, all of which were given to `receive`. */
  readonly brokenOff: (member: number) => void;
  /** Takes one line for each stream that is refused. */
  readonly log: (line: string) => void;
}

export interface RaftService {
  readonly handlers: RaftHandlers;
  /** To be told when a peer has ended a connection, by FIN or RST, before the streams on it end for that reason. */
  readonly connectionEnded: (remoteAddress: string) => void;
}

type Refusal = { readonly code: grpc.status; readonly details: string };

/**
 * The receiving half of raft over gRPC. A stream is ended with PERMISSION_DENIED when its caller is no current member
 * or sends in another's name, and with INVALID_ARGUMENT when a message is malformed; none of its later messages counts.
 */
export function raftService(options: RaftServiceOptions): RaftService {
  const streams = new OpenStreams(options.brokenOff);
  const handlers: RaftHandlers = {
    Messages(call: MessagesCall): void {
      const caller = options.peerNumber(call);
      let refused = false;
      const refuse = (refusal: Refusal): void => {
        refused = true;
        options.log(`refused the raft stream of member ${caller ?? "unknown"}: ${refusal.details}`);
        call.emit("error", refusal);
      };
      const refusal = refusalOfCaller(caller, options.isMember);
      if (refusal !== null || caller === null) return refuse(refusal ?? NO_MEMBER);
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
      streams.opened(call, caller);
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
  return { handlers, connectionEnded: (remoteAddress) => streams.cut(remoteAddress) };
}

/**
 * The streams of messages that are open, by the remote address of their connection.
 *
 * A peer that ends a stream, by its own will or a time-out of its own, ends it before its connection. One whose process is
 * killed, or whose machine breaks down and comes back, leaves that to the kernel: the connection ends under an open stream.
 */
class OpenStreams {
  readonly #brokenOff: (member: number) => void;
  readonly #open = new Map<string, { readonly member: number; cut: boolean }>();

  constructor(brokenOff: (member: number) => void) {
    this.#brokenOff = brokenOff;
  }

  opened(call: MessagesCall, member: number): void {
    const remoteAddress = call.getPeer();
    const stream = { member, cut: false };
    this.#open.set(remoteAddress, stream);
    // A closed stream hands in no message any more.
    call.on("close", () => {
      if (this.#open.get(remoteAddress) === stream) this.#open.delete(remoteAddress);
      if (stream.cut) this.#brokenOff(member);
    });
  }

  cut(remoteAddress: string): void {
    const stream = this.#open.get(remoteAddress);
    if (stream !== undefined) stream.cut = true;
  }
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

const NO_MEMBER: Refusal = {
  code: grpc.status.PERMISSION_DENIED,
  details: "the caller is not a member of the raft group",
};

function refusalOfCaller(caller: number | null, isMember: (member: number) => boolean): Refusal | null {
  return caller !== null && isMember(caller) ? null : NO_MEMBER;
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
