import type { DatabaseIterator, LogDatabase, Operation } from "../../daemon/raft/log-device.ts";

type Reading = Pick<LogDatabase, "get" | "iterator" | "keys" | "snapshot">;

/** What an open database holds, by key: it is read from memory, at once. */
export class Contents implements Reading {
  readonly #values: Map<string, Buffer>;

  constructor(values: ReadonlyMap<string, Buffer> = new Map()) {
    this.#values = new Map(values);
  }

  change(operations: readonly Operation[]): void {
    for (const operation of operations) {
      const key = operation.key.toString("latin1");
      if (operation.type === "put") this.#values.set(key, operation.value);
      else this.#values.delete(key);
    }
  }

  get(key: Buffer, options: Parameters<LogDatabase["get"]>[1]): Promise<Buffer | undefined> {
    return Promise.resolve(this.#at(options?.snapshot).#values.get(key.toString("latin1")));
  }

  iterator({
    gte,
    lt,
    snapshot,
    highWaterMarkBytes = Infinity,
  }: Parameters<LogDatabase["iterator"]>[0]): DatabaseIterator {
    const found = this.#at(snapshot).#ascending(gte, lt);
    return {
      nextv: (count) => {
        let bytes = 0;
        // The one that goes over the mark is the last one.
        const over = found.findIndex(
          ([key, value]) => (bytes += key.length + value.length) > highWaterMarkBytes,
        );
        return Promise.resolve(found.splice(0, Math.min(count, over === -1 ? Infinity : over + 1)));
      },
      close: () => Promise.resolve(),
      async *[Symbol.asyncIterator]() {
        yield* found;
      },
    };
  }

  keys({ gte, lt, limit }: Parameters<LogDatabase["keys"]>[0]): { all(): Promise<Buffer[]> } {
    const keys = this.#ascending(gte, lt).map(([key]) => key);
    return { all: () => Promise.resolve(keys.slice(0, limit)) };
  }

  snapshot(): Contents & { close(): Promise<void> } {
    return new Contents(this.#values);
  }

  /** Nothing is held that is to be freed. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  #at(snapshot: unknown): Contents {
    return snapshot instanceof Contents ? snapshot : this;
  }

  #ascending(gte: Buffer, lt: Buffer): [Buffer, Buffer][] {
    const [from, to] = [gte.toString("latin1"), lt.toString("latin1")];
    const found = [...this.#values].filter(([key]) => key >= from && key < to);
    return found
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [Buffer.from(key, "latin1"), value]);
  }
}
