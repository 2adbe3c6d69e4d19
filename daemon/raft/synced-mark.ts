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
 * synced. Two slots take turns, so that a torn write leaves the mark before it; that of the first mark leaves none.
 */
export class SyncedMarkFile {
  readonly path: string;
  readonly #file: MarkBytes;
  #nextSlot: number;
  #writing = false;

  private constructor(path: string, file: MarkBytes, nextSlot: number) {
    this.path = path;
    this.#file = file;
    this.#nextSlot = nextSlot;
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
      const slots = [slotOf(bytes, 0), slotOf(bytes, 1)];
      const marks = slots.map(readSlot);
      const [first, second] = marks.map((mark) => mark?.batch ?? -1);
      const newest = Number((second ?? -1) > (first ?? -1));
      // An unreadable slot beside one that was never written is the torn write of the first mark.
      const none = bytesRead === 0 || slots.some(isBlank) ? null : "damaged";
      return { markFile: new SyncedMarkFile(path, file, 1 - newest), found: marks[newest] ?? none };
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
      await this.#file.write(encode(mark), this.#nextSlot * SLOT_BYTES);
      this.#nextSlot = 1 - this.#nextSlot;
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

function slotOf(bytes: Buffer, slot: number): Buffer {
  return bytes.subarray(slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES);
}

function readSlot(slot: Buffer): SyncedMark | null {
  if (slot.readUInt32BE(SUMMED_BYTES) !== crc32c(slot.subarray(0, SUMMED_BYTES)) || isBlank(slot))
    return null;
  const batch = slot.readUInt32BE(0) * U32 + slot.readUInt32BE(4);
  const lastIndex = slot.readUInt32BE(8) * U32 + slot.readUInt32BE(12);
  return { batch, lastIndex, lastSum: slot.readUInt32BE(16) };
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
