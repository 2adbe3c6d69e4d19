/** What a log needs of the device that it is on; a simulator's may lose and fail as disks do. */
export interface LogDevice {
  readonly database: LogDatabase;
  readonly openMarkBytes: () => Promise<MarkBytes>;
}

export type Operation =
  { readonly type: "put"; key: Buffer; value: Buffer } | { readonly type: "del"; key: Buffer };

export interface KeyRange {
  readonly gte: Buffer;
  readonly lt: Buffer;
  readonly fillCache: false;
}

/** The contents at one instant. */
export interface DatabaseSnapshot {
  close(): Promise<void>;
}

/** The part of a `Level` that the log uses. What is read is in the order of the keys. */
export interface LogDatabase {
  readonly location: string;
  readonly status: "opening" | "open" | "closing" | "closed";
  open(): Promise<void>;
  get(key: Buffer, options?: { readonly snapshot: DatabaseSnapshot }): Promise<Buffer | undefined>;
  /** Atomic; with `sync` it resolves when all of it is on disk. */
  batch(operations: Operation[], options: { readonly sync: boolean }): Promise<void>;
  iterator(
    range: KeyRange & { readonly snapshot?: DatabaseSnapshot; readonly highWaterMarkBytes?: number },
  ): DatabaseIterator;
  keys(range: KeyRange & { readonly limit: number }): { all(): Promise<Buffer[]> };
  snapshot(): DatabaseSnapshot;
  close(): Promise<void>;
}

export interface DatabaseIterator extends AsyncIterable<[Buffer, Buffer]> {
  /** At most so many, and none at the end. */
  nextv(count: number): Promise<[Buffer, Buffer][]>;
  close(): Promise<void>;
}

/** The bytes of the file `last-synced`. */
export interface MarkBytes {
  /** From the beginning on; resolves with how many there are, at most as many as fit. */
  read(into: Buffer): Promise<number>;
  /** Resolves when they are on disk. */
  write(bytes: Buffer, position: number): Promise<void>;
  close(): Promise<void>;
}
