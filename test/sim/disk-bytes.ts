import type { Random } from "./random.ts";

/** The file `last-synced` of one replica: what is written is durable when it is synced, and torn or lost before. */
export class DiskBytes {
  readonly #random: Random;
  #bytes = Buffer.alloc(0);
  /** As it was before the write that is not synced yet. */
  #synced: Buffer | null = null;
  #from = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  read(into: Buffer): number {
    return this.#bytes.copy(into);
  }

  write(bytes: Buffer, position: number): void {
    this.#synced = this.#bytes;
    this.#from = position;
    this.#bytes = Buffer.alloc(Math.max(this.#bytes.length, position + bytes.length));
    this.#synced.copy(this.#bytes);
    bytes.copy(this.#bytes, position);
  }

  sync(): void {
    this.#synced = null;
  }

  /** What a copy of the disk has of it. */
  image(): Buffer<ArrayBuffer> {
    return this.#bytes;
  }

  putBack(image: Buffer<ArrayBuffer>): void {
    this.#bytes = image;
    this.#synced = null;
  }

  /** Killing a process leaves what was written; a loss of power leaves some first part of what was not synced. */
  crash(power: boolean): void {
    if (this.#synced !== null && power) {
      const kept = this.#from + this.#random.below(this.#bytes.length - this.#from + 1);
      const torn = Buffer.alloc(this.#bytes.length);
      this.#synced.copy(torn);
      this.#bytes.copy(torn, this.#from, this.#from, kept);
      this.#bytes = torn;
    }
    this.#synced = null;
  }
}
