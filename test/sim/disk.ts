import type { LogDatabase, LogDevice, MarkBytes, Operation } from "../../daemon/raft/log-device.ts";
import type { LogBatch } from "../../daemon/raft/raft-log.ts";
import { Contents } from "./contents.ts";
import { DiskBytes } from "./disk-bytes.ts";
import { isOfSnapshot, livePuts } from "./disk-contents.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Verdict } from "./verdict.ts";

interface Written {
  operations: readonly Operation[];
  /** What the raft log meant by it. */
  readonly meaning: LogBatch | null;
  file: number;
  readonly begunAt: number;
  /** Infinity until it is synced. */
  syncedAt: number;
  /** `answered`: reported as written, yet only in the memory of the operating system. */
  state: "in-flight" | "answered" | "synced" | "failed";
}

/** A copy of a disk at one instant. */
export interface DiskImage {
  readonly written: readonly Written[];
  readonly mark: Buffer<ArrayBuffer>;
}

/** What may happen to what is stored, behind the back of the database. */
export type Damage = "flipped bits" | "lost middle" | "lost tail";

/** Damage strikes the newest batches by preference. */
const NEWEST_BATCHES = 6;

/** No fsync takes more than so many times the mean, but for the slow ones. */
const SYNC_MEANS_MAX = 10;

/** How often it is this write of a snapshot that is interrupted, and none of the next. */
const SNAPSHOT_WRITE_STRUCK = 0.4;

export interface DiskRates {
  /** Mean ms of one fsync. */
  readonly fsyncMs: number;
  /** How often an fsync takes a hundred times as long. */
  readonly slowFsync: number;
  /** Batches in one file of the database; a file that is full is closed without fsync, as LevelDB does. */
  readonly batchesPerFile: number;
}

/**
 * The disk of one replica with a LevelDB on it. What is synced stays; at a loss of power, batches that are not synced
 * survive as a prefix of each file, and a torn one is dropped whole, by its checksum.
 */
export class Disk {
  readonly #random: Random;
  readonly #rates: DiskRates;
  readonly #verdict: Verdict;
  readonly #now: () => number;
  /** Called with the meaning of each batch that has become durable. */
  readonly #onDurable: (meaning: LogBatch) => void;
  /** Called when durability has to be judged anew, with the meanings of all that is on disk. */
  readonly #onSurvived: (meanings: readonly LogBatch[]) => void;
  readonly #markBytes: DiskBytes;
  #written: Written[] = [];
  #file = 0;
  #nextMeaning: LogBatch | null = null;
  #hung = false;
  #full = false;
  #failNext = false;
  #slowByMs = 0;
  #waiting: (() => void)[] = [];
  #interruption: { readonly action: () => void; readonly of: "any" | "snapshot" } | null = null;
  #damaged = false;
  #putBack = false;
  #healthy = false;
  /** Since when no fault has made it slower. */
  #steadySince = 0;

  constructor(
    random: Random,
    rates: DiskRates,
    verdict: Verdict,
    now: () => number,
    listeners: {
      readonly onDurable: (meaning: LogBatch) => void;
      readonly onSurvived: (meanings: readonly LogBatch[]) => void;
    },
  ) {
    this.#random = random;
    this.#rates = rates;
    this.#verdict = verdict;
    this.#now = now;
    this.#markBytes = new DiskBytes(random.fork("mark"));
    this.#onDurable = listeners.onDurable;
    this.#onSurvived = listeners.onSurvived;
  }

  /** What is stored was changed behind the back of the database. */
  get damaged(): boolean {
    return this.#damaged;
  }

  /** An older image is in the place of what was promised. */
  get isPutBack(): boolean {
    return this.#putBack;
  }

  image(): DiskImage {
    const written = this.#written.filter(({ state }) => state === "synced" || state === "answered");
    return { written, mark: this.#markBytes.image() };
  }

  /**
   * Puts an image in the place of the contents. To be called while it is closed. What the replica has promised stands, so
   * nothing that is written from now on makes it durable.
   */
  putBack({ written, mark }: DiskImage): void {
    this.#putBack = true;
    this.#written = written.map((batch) => ({ ...batch, meaning: null, state: "synced" }));
    this.#markBytes.putBack(mark);
  }

  /** The newest value of a key that no loss of power takes. */
  durable(key: Buffer, written: readonly Written[] = this.#written): Buffer | undefined {
    for (const { operations, state } of written.toReversed()) {
      const found =
        state === "synced" ? operations.findLast((operation) => operation.key.equals(key)) : undefined;
      if (found !== undefined) return found.type === "put" ? found.value : undefined;
    }
    return undefined;
  }

  /** Names the meaning of the next batch. */
  announce(meaning: LogBatch): void {
    this.#nextMeaning = meaning;
  }

  /** Calls once, while a batch is being written or just after; with `of` a batch that stages or installs a snapshot. */
  duringNextWrite(action: () => void, of: "any" | "snapshot" = "any"): void {
    this.#interruption = { action, of };
  }

  /** No fsync returns before `resume`. */
  hang(): void {
    this.#hung = true;
  }

  /** Every fsync takes so much longer. */
  slowDown(byMs: number): void {
    this.#slowByMs = byMs;
  }

  fill(): void {
    this.#full = true;
  }

  failNextWrite(): void {
    this.#failNext = true;
  }

  /** From now on it is only as slow as it is on the average. */
  heal(): void {
    this.#healthy = true;
    this.resume();
  }

  /** Ends all that was ordered above. A database that has met an error keeps it until it is opened anew. */
  resume(): void {
    if (this.#hung || this.#slowByMs > 0) this.#steadySince = this.#now();
    this.#hung = this.#full = this.#failNext = false;
    this.#slowByMs = 0;
    for (const finish of this.#waiting.splice(0)) finish();
  }

  /** Decides what a crash leaves. Killing a process leaves what the operating system has, a loss of power does not. */
  crash(power: boolean): void {
    const cut = new Map<number, boolean>();
    const survivors = this.#written.filter((batch) => {
      if (batch.state === "synced") return true;
      if (!power && batch.state === "answered") return true;
      if (cut.get(batch.file) !== true && this.#random.chance(0.5)) return true;
      cut.set(batch.file, true);
      this.#verdict.mark(power ? "unsynced batch lost with the power" : "batch lost in the kill");
      return false;
    });
    for (const batch of survivors) batch.state = "synced";
    this.#written = survivors;
    this.#waiting = [];
    this.#markBytes.crash(power);
    if (this.#putBack) return;
    this.#onSurvived(this.#written.flatMap(({ meaning }) => meaning ?? []));
  }

  /** To be called while it is closed. */
  damage(kind: Damage): void {
    if (this.#written.length < 4) return;
    if (kind === "flipped bits") this.#flipBits();
    else if (kind === "lost middle") this.#loseMiddle();
    else this.#loseTail();
  }

  /** Of one value or of many, in one of the newest batches or in any: as in a table file, whose blocks nobody checks. */
  #flipBits(): void {
    const oldest = this.#random.chance(0.7) ? this.#written.length - NEWEST_BATCHES : 0;
    const puts = livePuts(this.#written, oldest);
    if (puts.length === 0) return;
    // A long value is the likelier one to be struck.
    const byBytes = puts.flatMap((put) => Array.from({ length: 1 + (put.value.length >> 5) }, () => put));
    const struck = this.#random.chance(0.7)
      ? [this.#random.pick(byBytes)]
      : puts.filter(() => this.#random.chance(0.3));
    for (const put of struck) {
      const flipped = Buffer.from(put.value);
      const byte = this.#random.below(flipped.length);
      flipped[byte] = (flipped[byte] ?? 0) ^ (1 << this.#random.below(8));
      put.value = flipped;
      this.#damaged = true;
    }
  }

  /**
   * The newest batch of the log stays: the others are missed beside it. What the lost ones meant stays known: where later
   * batches have replaced all of it, nothing is lost.
   */
  #loseMiddle(): void {
    const newest = this.#written.findLastIndex(({ meaning }) => meaning !== null);
    if (newest < 2) return;
    this.#damaged = true;
    const at = this.#random.below(newest - 1);
    const lost = this.#written.slice(at, at + 1 + this.#random.below(newest - at));
    for (const batch of lost) batch.operations = [];
  }

  /**
   * Loses the newest batches, though they were synced: so many that the file `last-synced` must know of one. Its write
   * begins with that of the batch after, when no other is under way; a start in between costs one more batch. What the lost
   * ones meant stays known: others may count on it.
   */
  #loseTail(): void {
    const longestMs = this.#rates.slowFsync > 0 ? Infinity : SYNC_MEANS_MAX * this.#rates.fsyncMs + 1;
    const batches = this.#written.filter(({ meaning }) => meaning !== null);
    const before = (time: number): Written | undefined =>
      batches.findLast(({ syncedAt }) => syncedAt + longestMs <= time);
    const marking = batches.findLast(({ begunAt }) => begunAt + longestMs <= this.#now());
    const marked = before(before(marking?.begunAt ?? 0)?.begunAt ?? 0);
    if (marked === undefined || marked.syncedAt < this.#steadySince) return;
    this.#damaged = true;
    this.#verdict.mark("synced tail lost");
    const kept = Math.max(1, this.#written.indexOf(marked) - this.#random.below(3));
    for (const lost of this.#written.slice(kept)) lost.operations = [];
  }

  /** The disk as this process opens it. */
  device(process: Process): LogDevice {
    const markBytes: MarkBytes = {
      read: (into) => Promise.resolve(this.#markBytes.read(into)),
      write: (bytes, position) => {
        this.#markBytes.write(bytes, position);
        return new Promise((resolve) => {
          this.#whenWritten(process, this.#fsyncMs(), true, () => {
            this.#markBytes.sync();
            process.post("io", this.#random.around(0.05), resolve);
          });
        });
      },
      close: () => Promise.resolve(),
    };
    return { database: this.#database(process), openMarkBytes: () => Promise.resolve(markBytes) };
  }

  /** Batches are written one after the other, in the order in which they came. */
  #database(process: Process): LogDatabase {
    const contents = new Contents();
    const queue: (() => void)[] = [];
    let failure: Error | null = null;
    let status: LogDatabase["status"] = "closed";
    const next = (): void => {
      queue.shift();
      queue[0]?.();
    };
    const write = (batch: Written, sync: boolean, settle: (error: Error | null) => void): void => {
      if (this.#full) {
        this.#verdict.mark("disk full");
        failure ??= new Error("IO error: No space left on device");
      }
      if (failure !== null) {
        settle(failure);
        return next();
      }
      if (this.#written.length % this.#rates.batchesPerFile === 0) this.#file++;
      batch.file = this.#file;
      this.#written.push(batch);
      const fails = this.#failNext;
      this.#failNext = false;
      const writingMs = sync ? this.#fsyncMs() : 0.01;
      const ofSnapshot = isOfSnapshot(batch);
      const due = ofSnapshot && this.#random.chance(SNAPSHOT_WRITE_STRUCK);
      if (this.#interruption !== null && (due || this.#interruption.of === "any")) {
        // What is wrong with how a snapshot was stored shows when it counts, so it is struck afterwards as often.
        const ends = ofSnapshot ? 2 : 1.2;
        process.device(this.#random.next() * ends * writingMs, this.#interruption.action);
        this.#interruption = null;
      }
      this.#whenWritten(process, writingMs, sync, () => {
        if (fails) {
          this.#verdict.mark("disk error");
          failure = new Error("IO error: fdatasync: Input/output error");
          batch.state = "failed";
        } else {
          if (sync) this.#sync(batch);
          else batch.state = "answered";
          contents.change(batch.operations);
        }
        const outcome = failure;
        // The answer comes after the fact, and a crash may come between them.
        process.post("io", this.#random.around(0.05), () => settle(outcome));
        next();
      });
    };
    return {
      location: "disk",
      get status() {
        return status;
      },
      open: () => {
        // What is recovered goes into a new, synced file.
        for (const batch of this.#written) {
          this.#becomeDurable(batch);
          contents.change(batch.operations);
        }
        this.#file++;
        status = "open";
        return Promise.resolve();
      },
      batch: (operations, { sync }) => {
        const batch: Written = {
          operations,
          meaning: this.#putBack ? null : this.#nextMeaning,
          file: 0,
          begunAt: this.#now(),
          syncedAt: Infinity,
          state: "in-flight",
        };
        this.#nextMeaning = null;
        return new Promise((resolve, reject) => {
          const settle = (error: Error | null): void => (error === null ? resolve() : reject(error));
          queue.push(() => write(batch, sync, settle));
          if (queue.length === 1) queue[0]?.();
        });
      },
      get: (key, options) => contents.get(key, options),
      iterator: (range) => contents.iterator(range),
      keys: (range) => contents.keys(range),
      snapshot: () => contents.snapshot(),
      close: () => {
        status = "closed";
        return Promise.resolve();
      },
    };
  }

  /** Calls when the device has done it, unless the process is gone then. */
  #whenWritten(process: Process, ms: number, sync: boolean, done: () => void): void {
    const finish = (): void => {
      if (process.alive) done();
    };
    process.device(ms, () => {
      if (this.#hung && sync) this.#waiting.push(finish);
      else finish();
    });
  }

  #fsyncMs(): number {
    const slow = !this.#healthy && this.#random.chance(this.#rates.slowFsync) ? 100 : 1;
    return this.#random.around(this.#rates.fsyncMs) * slow + this.#slowByMs;
  }

  /** An fsync covers the file that is being written, and no file that was closed before. */
  #sync(last: Written): void {
    // Files follow each other, so those of the newest one stand at the end.
    const first = this.#written.findLastIndex(({ file }) => file < last.file) + 1;
    for (const batch of this.#written.slice(first)) {
      if (batch.state !== "failed") this.#becomeDurable(batch);
      if (batch === last) return;
    }
  }

  #becomeDurable(batch: Written): void {
    if (batch.state === "synced") return;
    batch.state = "synced";
    batch.syncedAt = this.#now();
    if (batch.meaning !== null) this.#onDurable(batch.meaning);
  }
}
