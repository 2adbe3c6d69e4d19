import type { Entry, HardState, Message, Snapshot } from "./core/core.ts";
import type { Environment } from "./environment.ts";
import type { Installation, LogBatch, RaftLog } from "./raft-log.ts";
import type { CompactionLimits, SyncedEntries } from "./synced-entries.ts";

export interface LogWriterOptions {
  readonly log: RaftLog;
  readonly storage: SyncedEntries;
  readonly environment: Environment;
  readonly compaction: CompactionLimits;
  /** The entries behind this index are wanted; null for none. */
  readonly heldFrom: () => number | null;
  /** What is applied and that no batch has taken yet waits at most this long for one. */
  readonly appliedFlushMs: number;
  /** What was applied since the last call; null for nothing. */
  readonly takeApplied: () => LogBatch["applied"];
  /** The records of the snapshot at this index, which the core has taken. */
  readonly takeInstallation: (index: number) => Installation;
  /** A snapshot is stored in the place of the whole log. Before the responses that wait for it. */
  readonly onInstalled: (installation: Installation) => void;
  readonly onWritten: (responses: readonly Message[]) => void;
  readonly onFatal: (error: Error) => void;
}

/**
 * The append thread of the core's asynchronous storage writes: it takes MsgStorageAppend messages in order, writes them
 * one batch at a time, and gives back their responses when everything up to them is synced. What comes while a batch is
 * being written becomes the next one.
 *
 * What was applied travels with the next batch, so that no command costs a sync of its own; when none comes, it is
 * written by itself. A commit index alone is worth no sync, since it can be learned again: it travels with the next batch
 * too, or is written at the next tick on which nothing else is.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  #queue: Message[] = [];
  /** Newest known, synced or not. */
  #hardState: HardState;
  #commitWaits = false;
  #appliedWaits = false;
  #cancelFlush: (() => void) | null = null;
  #writing: Promise<void> | null = null;
  #writingTicks = 0;
  #ended = false;

  constructor(options: LogWriterOptions) {
    this.#options = options;
    this.#hardState = options.log.recovered.hardState;
  }

  /** How many ticks the write in flight has taken, 0 without one. */
  get writingTicks(): number {
    return this.#writingTicks;
  }

  enqueue(append: Message): void {
    this.#queue.push(append);
  }

  /** Entries were applied: `takeApplied` has something to give. */
  noteApplied(): void {
    this.#appliedWaits = true;
    if (this.#writing === null) this.#flushLater();
  }

  /** Begins a write if something waits for one and none is in flight. */
  pump(): void {
    while (this.#writing === null && this.#queue.length > 0 && !this.#ended) {
      const appends = this.#queue;
      this.#queue = [];
      const work = merge(appends);
      const { term, vote } = this.#hardState;
      if (work.hardState !== null) this.#hardState = work.hardState;
      const votes = this.#hardState.term !== term || this.#hardState.vote !== vote;
      if (work.entries.length > 0 || work.snapshot !== null || votes) {
        this.#write(work);
      } else {
        this.#commitWaits ||= work.hardState !== null;
        this.#options.onWritten(work.responses);
      }
    }
  }

  tick(): void {
    if (this.#writing !== null) this.#writingTicks++;
    else if (this.#commitWaits && !this.#ended) this.#write(merge([]));
  }

  /** Waits for the write in flight; nothing is written or given back from now on. */
  async stop(): Promise<void> {
    this.#ended = true;
    this.#cancelFlush?.();
    await this.#writing;
  }

  #flushLater(): void {
    this.#cancelFlush ??= this.#options.environment.after(this.#options.appliedFlushMs, () => {
      this.#cancelFlush = null;
      if (this.#writing === null && this.#appliedWaits && !this.#ended) this.#write(merge([]));
    });
  }

  #write({ entries, snapshot, responses }: Work): void {
    const { log, storage, compaction, heldFrom } = this.#options;
    const install = snapshot === null ? null : this.#options.takeInstallation(snapshot.metadata.index);
    // What was applied before a snapshot is part of it.
    const applied = this.#appliedWaits && install === null ? this.#options.takeApplied() : null;
    const compactTo =
      install === null ? storage.compactionPoint(compaction, heldFrom(), entries.length) : null;
    this.#appliedWaits = false;
    this.#commitWaits = false;
    this.#writingTicks = 0;
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    this.#writing = log
      .append({ entries, hardState: this.#hardState, applied, compactTo, install })
      .then(() => {
        this.#writing = null;
        this.#writingTicks = 0;
        if (compactTo !== null) storage.compacted(compactTo);
        if (applied !== null) storage.appliedStored(applied.point);
        if (this.#ended) return;
        if (install !== null) {
          storage.installed(install.point);
          this.#options.onInstalled(install);
        }
        storage.synced(entries);
        this.#options.onWritten(responses);
        this.pump();
        if (this.#writing === null && this.#appliedWaits) this.#flushLater();
      })
      .catch((error: unknown) => {
        this.#ended = true;
        this.#options.onFatal(error instanceof Error ? error : new Error(String(error)));
      });
  }
}

interface Work {
  readonly entries: readonly Entry[];
  readonly hardState: HardState | null;
  readonly snapshot: Snapshot | null;
  readonly responses: readonly Message[];
}

/** What is left to write when later appends have replaced entries of earlier ones. */
function merge(appends: readonly Message[]): Work {
  const entries: Entry[] = [];
  let hardState: HardState | null = null;
  let snapshot: Snapshot | null = null;
  for (const append of appends) {
    if (append.snapshot !== null) {
      // It replaces the whole log, and what was to become of it.
      ({ snapshot } = append);
      entries.length = 0;
    }
    const first = append.entries[0]?.index ?? Infinity;
    // Later entries replace all from their first index on.
    while ((entries.at(-1)?.index ?? -1) >= first) entries.pop();
    for (const entry of append.entries) entries.push(entry);
    // A term of 0 says that the HardState did not change.
    if (append.term !== 0) hardState = { term: append.term, vote: append.vote, commit: append.commit };
  }
  return { entries, hardState, snapshot, responses: appends.flatMap(({ responses }) => responses) };
}
