import type { CommittedEntry } from "./driver-options.ts";

/** A record as it is now; null says that it is gone. */
export interface RecordChange {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/**
 * What the log is for: a state in memory, made of records. It is a function of the applied entries alone, and its records
 * are the whole of it.
 */
export interface StateMachine {
  /** Called for each proposal in the order of the log, never twice for one state; what it throws is fatal. */
  apply(entry: CommittedEntry): unknown;
  /** The records that changed since the last call, each once. They are stored with the index applied by now. */
  takeChanges(): readonly RecordChange[];
  /** Begins another state from stored records; the present one stays until it is finished. */
  restore(): Restoration;
}

export interface Restoration {
  /** Each record once, in no particular order. */
  put(key: string, value: Uint8Array): void;
  /** Puts the restored state in the place of the present one, whose changes count no more. */
  finish(): void;
}
