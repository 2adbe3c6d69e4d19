import type { Entry, HardState, Message } from "./core/core.ts";

import type { RaftLog, LogBatch } from "./level-log.ts";
import type { AppliedConfState } from "./log-record.ts";
import type { SyncedEntries } from "./synced-entries.ts";

/**
 * The append thread of the core's asynchronous storage writes: it takes MsgStorageAppend messages in order, writes them
 * one batch at a time, and gives back their responses when everything up to them is synced. What comes while a batch is
 * being written becomes the next one.
 *
 * A commit index alone is worth no sync, since it can be learned again: it travels with the next batch, or is written at
 * the next tick on which nothing else is.
 */
export class LogWriter {
  readonly #log: RaftLog;
  readonly #storage: SyncedEntries;
  readonly #onWritten: (responses: readonly Message[]) => void;
  readonly #onFatal: (error: Error) => void;
  #queue: Message[] = [];
  /** Newest known, synced or not. */
  #hardState: HardState;
  #confState: AppliedConfState | null = null;
  #commitWaits = false;
  #writing: Promise<void> | null = null;
  #writingTicks = 0;
  #ended = false;

  constructor(
    log: RaftLog,
    storage: SyncedEntries,
    onWritten: (responses: readonly Message[]) => void,
    onFatal: (error: Error) => void,
  ) {
    this.#log = log;
    this.#storage = storage;
    this.#hardState = log.recovered.hardState;
    this.#onWritten = onWritten;
    this.#onFatal = onFatal;
  }

  /** How many ticks the write in flight has taken, 0 without one. */
  get writingTicks(): number {
    return this.#writingTicks;
  }

  enqueue(append: Message): void {
    this.#queue.push(append);
  }

  /** Writes this membership with the next batch. */
  recordConfState(applied: AppliedConfState): void {
    this.#confState = applied;
  }

  /** Begins a write if something waits for one and none is in flight. */
  pump(): void {
    while (this.#writing === null && this.#queue.length > 0 && !this.#ended) {
      const appends = this.#queue;
      this.#queue = [];
      const { entries, hardState } = merge(appends);
      const { term, vote } = this.#hardState;
      if (hardState !== null) this.#hardState = hardState;
      if (entries.length === 0 && this.#hardState.term === term && this.#hardState.vote === vote) {
        this.#commitWaits ||= hardState !== null;
        this.#written(appends);
      } else {
        this.#write(entries, appends);
      }
    }
  }

  tick(): void {
    if (this.#writing !== null) this.#writingTicks++;
    else if ((this.#commitWaits || this.#confState !== null) && !this.#ended) this.#write([], []);
  }

  /** Waits for the write in flight; nothing is written or given back from now on. */
  async stop(): Promise<void> {
    this.#ended = true;
    await this.#writing;
  }

  #write(entries: readonly Entry[], appends: readonly Message[]): void {
    const batch: LogBatch = { entries, hardState: this.#hardState, confState: this.#confState };
    this.#confState = null;
    this.#commitWaits = false;
    this.#writingTicks = 0;
    this.#writing = this.#log
      .append(batch)
      .then(() => {
        this.#writing = null;
        this.#writingTicks = 0;
        if (this.#ended) return;
        this.#written(appends);
        this.pump();
      })
      .catch((error: unknown) => {
        this.#ended = true;
        this.#onFatal(error instanceof Error ? error : new Error(String(error)));
      });
  }

  #written(appends: readonly Message[]): void {
    for (const append of appends) this.#storage.synced(append.entries);
    this.#onWritten(appends.flatMap((append) => append.responses));
  }
}

/** What is left to write when later appends have replaced entries of earlier ones. */
function merge(appends: readonly Message[]): {
  readonly entries: readonly Entry[];
  readonly hardState: HardState | null;
} {
  const entries: Entry[] = [];
  let hardState: HardState | null = null;
  for (const append of appends) {
    const first = append.entries[0]?.index ?? Infinity;
    // Later entries replace all from their first index on.
    while ((entries.at(-1)?.index ?? -1) >= first) entries.pop();
    for (const entry of append.entries) entries.push(entry);
    // A term of 0 says that the HardState did not change.
    if (append.term !== 0) hardState = { term: append.term, vote: append.vote, commit: append.commit };
  }
  return { entries, hardState };
}
