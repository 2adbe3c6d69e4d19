import type { Operation } from "../../daemon/raft/log-device.ts";
import { RECORD_KEYS } from "../../daemon/raft/log-record.ts";
import type { LogBatch } from "../../daemon/raft/raft-log.ts";

type Put = Extract<Operation, { readonly type: "put" }>;

interface Batch {
  readonly operations: readonly Operation[];
  /** What the raft log meant by it. */
  readonly meaning: LogBatch | null;
}

/** The values that will be read again, for nothing has replaced them, of the batches from position `oldest` on. */
export function livePuts(written: readonly Batch[], oldest: number): readonly Put[] {
  const found = new Map<string, Put>();
  for (const [at, { operations }] of written.entries()) {
    for (const operation of operations) {
      const key = operation.key.toString("latin1");
      found.delete(key);
      if (operation.type === "put" && at >= oldest) found.set(key, operation);
    }
  }
  return [...found.values()];
}

/** Installs a snapshot, or writes records that belong to no batch of raft: those of one that is received, or was replaced. */
export function isOfSnapshot({ meaning, operations }: Batch): boolean {
  if (meaning !== null) return meaning.install !== null;
  return operations.some(({ key }) => key[0] === RECORD_KEYS[0][0]);
}
