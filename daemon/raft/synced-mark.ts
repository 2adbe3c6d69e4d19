import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32c } from "./crc32c.ts";
import type { MarkBytes } from "./log-device.ts";

/** The newest batch that is known to be synced, with the end of the log that it left. */
export interface SyncedMark {
  readonly batch: number;
  readonly lastIndex: number;
  /** The chained checksum of the last entry. */
  readonly lastSum: number;
}

const SLOT_BYTES = 32;
const SUMMED_BYTES = 20;
const U32 = 2 ** 32;

/**
 * A file of 64 bytes beside a log database: a lower bound of what the database must still hold. It never names what is not
 * synced. Two slots take turns, so that a torn write leaves the mark before it.
 */
export class SyncedMarkFile {
  readonly path: string;
  readonly #file: MarkBytes;
  #writing = false;

  private constructor(path: string, file: MarkBytes) {
    this.path = path;
    this.#file = file;
  }

  /** Opens the file, which is made when missing; `found` is null when it holds no mark, "damaged" when none can be read. */
  static async open(
    path: string,
    openBytes: (path: string) => Promise<MarkBytes> = openFile,
  ): Promise<{
    readonly markFile: SyncedMarkFile;
    readonly found: SyncedMark | null | "damaged";
  }> {
    const file = await openBytes(path);
    try {
      const bytes = Buffer.alloc(2 * SLOT_BYTES);
      const bytesRead = await file.read(bytes);
      const marks = [readSlot(bytes, 0), readSlot(bytes, 1)].filter((mark) => mark !== null);
      const newest = marks.toSorted((a, b) => b.batch - a.batch)[0];
      return {
        markFile: new SyncedMarkFile(path, file),
        found: newest ?? (bytesRead === 0 || isBlank(bytes) ? null : "damaged"),
      };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** A mark is being written; one that comes meanwhile must be left out, and a later one will do. */
  get writing(): boolean {
    return this.#writing;
  }

  /** Resolves when the mark is synced. One at a time. */
  async write(mark: SyncedMark): Promise<void> {
    if (this.#writing) throw new Error("a mark is being written already");
    this.#writing = true;
    try {
      await this.#file.write(encode(mark), (mark.batch % 2) * SLOT_BYTES);
    } finally {
      this.#writing = false;
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function encode({ batch, lastIndex, lastSum }: SyncedMark): Buffer {
  const bytes = Buffer.alloc(SLOT_BYTES);
  bytes.writeBigUInt64BE(BigInt(batch), 0);
  bytes.writeBigUInt64BE(BigInt(lastIndex), 8);
  bytes.writeUInt32BE(lastSum, 16);
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, SUMMED_BYTES)), SUMMED_BYTES);
  return bytes;
}

function readSlot(bytes: Buffer, slot: number): SyncedMark | null {
  const own = bytes.subarray(slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES);
  if (own.readUInt32BE(SUMMED_BYTES) !== crc32c(own.subarray(0, SUMMED_BYTES)) || isBlank(own)) return null;
  const batch = own.readUInt32BE(0) * U32 + own.readUInt32BE(4);
  const lastIndex = own.readUInt32BE(8) * U32 + own.readUInt32BE(12);
  return { batch, lastIndex, lastSum: own.readUInt32BE(16) };
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

async function openFile(path: string): Promise<MarkBytes> {
  const made = await open(path, "a+");
  await made.close();
  // A write returns when it is synced: one errand of the thread pool in place of two.
  const file = await open(path, constants.O_RDWR | constants.O_DSYNC);
  return {
    read: async (into) => {
      const { bytesRead } = await file.read(into, 0, into.length, 0);
      if (bytesRead === 0) await syncFolder(dirname(path));
      return bytesRead;
    },
    write: async (bytes, position) => {
      await file.write(bytes, 0, bytes.length, position);
    },
    close: () => file.close(),
  };
}

/** A new file is durable only when its folder is synced. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
