import type * as grpc from "@grpc/grpc-js";
import type { SnapshotPart__Output } from "../../proto/gen/gpumesh/v1/SnapshotPart.ts";
import type { SnapshotReceipt } from "../../proto/gen/gpumesh/v1/SnapshotReceipt.ts";
import type { IncomingStream } from "./incoming-stream.ts";
import type { StateRecord } from "./raft-log.ts";
import { RefusedStream } from "./refused-stream.ts";
import { readable } from "./tolerant-definition.ts";
import type { SnapshotTransfer } from "./transport.ts";

/** Well above what a sender puts in one. */
const CHUNK_RECORDS_MAX = 4096;
const RECORD_KEY_LENGTH_MAX = 1024;

export type SnapshotCall = grpc.ServerDuplexStream<SnapshotPart__Output, SnapshotReceipt>;

/** Reads one snapshot off its stream; resolves when `receive` has all of it. */
export async function takeSnapshot(
  call: SnapshotCall,
  stream: IncomingStream,
  receive: (transfer: SnapshotTransfer) => Promise<void>,
): Promise<void> {
  const parts: AsyncIterator<SnapshotPart__Output> = call[Symbol.asyncIterator]();
  const first = await parts.next();
  const header = first.done === true ? null : readable(first.value).header;
  if (!header?.message) throw new RefusedStream("malformed", "a snapshot begins without its header");
  await stream.greet(header.hello);
  const message = stream.message(header.message, "MsgSnap");
  const totals = { count: header.recordCount, sum: header.recordSum };
  await receive({ message, totals, chunks: chunksOf(call, stream, parts) });
}

async function* chunksOf(
  call: SnapshotCall,
  stream: IncomingStream,
  parts: AsyncIterator<SnapshotPart__Output>,
): AsyncGenerator<readonly StateRecord[]> {
  for (let next = await parts.next(); next.done !== true; next = await parts.next()) {
    const { chunk } = readable(next.value);
    if (!chunk) throw new RefusedStream("malformed", "a part of a snapshot is no chunk");
    // The sender may have been removed, or have been replaced by a newer process.
    stream.hear(0);
    const { records } = chunk;
    if (records.length > CHUNK_RECORDS_MAX) {
      throw new RefusedStream("oversized", `a chunk has ${records.length} records`);
    }
    if (records.some(({ key }) => key === "" || key.length > RECORD_KEY_LENGTH_MAX)) {
      throw new RefusedStream("malformed", "a record's key is empty or too long");
    }
    yield records;
    // Whoever takes the chunks asks for the next one when this one is stored.
    call.write({});
  }
}
