import { clearKeys, recordRange } from "./log-contents.ts";
import type { LogDatabase } from "./log-device.ts";
import { encodeRecord, NO_RECORDS, recordStoreKey, withRecord } from "./log-record.ts";
import type { LogError, RecordTotals, StagedRecords, StateRecord } from "./raft-log.ts";

/** Records under a generation that the head does not name: a start clears them. */
export class StagedGeneration implements StagedRecords {
  readonly generation: number;
  readonly sums = new Map<string, number>();
  readonly #database: LogDatabase;
  readonly #fail: (error: unknown) => LogError;
  #totals: RecordTotals = NO_RECORDS;

  constructor(database: LogDatabase, generation: number, fail: (error: unknown) => LogError) {
    this.#database = database;
    this.generation = generation;
    this.#fail = fail;
  }

  get totals(): RecordTotals {
    return this.#totals;
  }

  async put(records: readonly StateRecord[]): Promise<void> {
    const operations = records.map(({ key, value }) => {
      if (this.sums.has(key)) throw new Error(`record ${key} was staged twice`);
      const encoded = encodeRecord(key, value);
      this.sums.set(key, encoded.sum);
      this.#totals = withRecord(this.#totals, encoded.sum);
      return { type: "put" as const, key: recordStoreKey(this.generation, key), value: encoded.value };
    });
    if (this.#database.status !== "open") throw new Error("the raft log is closed");
    await this.#database.batch(operations, { sync: true }).catch((error: unknown) => {
      throw this.#fail(error);
    });
  }

  async discard(): Promise<void> {
    // What stays behind, the next start clears.
    await clearKeys(
      this.#database,
      recordRange(this.generation),
      () => this.#database.status === "open",
    ).catch(() => {});
  }
}
