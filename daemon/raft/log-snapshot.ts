import { recordRange } from "./log-contents.ts";
import type { LogDatabase } from "./log-device.ts";
import { decodeHead, decodeRecord, HEAD_KEY } from "./log-record.ts";
import { damage } from "./raft-log.ts";
import type { LogSnapshot, StateRecord } from "./raft-log.ts";

/** A chunk of small records has no more than these. */
const CHUNK_RECORDS_MAX = 512;

/** Reads index, term, membership and records through one LevelDB snapshot. */
export async function openLogSnapshot(database: LogDatabase): Promise<LogSnapshot> {
  const snapshot = database.snapshot();
  try {
    const stored = await database.get(HEAD_KEY, { snapshot });
    const head = stored === undefined ? null : decodeHead(stored);
    if (head === null || !head.ok) throw damage(database.location, "the head can not be read");
    const { applied, records, generation } = head.value;
    async function* chunks(bytesMax: number): AsyncGenerator<readonly StateRecord[]> {
      const iterator = database.iterator({
        ...recordRange(generation),
        snapshot,
        highWaterMarkBytes: bytesMax,
      });
      try {
        for (;;) {
          const page = await iterator.nextv(CHUNK_RECORDS_MAX);
          if (page.length === 0) return;
          yield page.map(([key, value]) => readRecord(database.location, key, value));
        }
      } finally {
        await iterator.close();
      }
    }
    return { point: applied, totals: records, chunks, close: () => snapshot.close() };
  } catch (error) {
    await snapshot.close();
    throw error;
  }
}

/** A damaged record is sent to nobody. */
function readRecord(folder: string, storeKey: Buffer, stored: Buffer): StateRecord {
  const read = decodeRecord(storeKey, stored);
  if (!read.ok) throw damage(folder, `record ${read.fault}`);
  return { key: read.value.key, value: read.value.data };
}
