import type { LogBatch, LogDatabase } from "../../daemon/raft/level-log.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Verdict } from "./verdict.ts";

type Operations = Parameters<LogDatabase["batch"]>[0];

interface Written {
  readonly operations: Operations;
  /** What the raft log meant by it. */
  readonly meaning: LogBatch | null;
  readonly file: number;
  /** `answered`: reported as written, yet only in the memory of the operating system. */
  state: "in-flight" | "answered" | "synced" | "failed";
}

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
  /** Called with the meaning of each batch that has become durable. */
  readonly #onDurable: (meaning: LogBatch) => void;
  /** Called when durability has to be judged anew, with the meanings of all that is on disk. */
  readonly #onSurvived: (meanings: readonly LogBatch[]) => void;
  #written: Written[] = [];
  #file = 0;
  #nextMeaning: LogBatch | null = null;
  #hung = false;
  #full = false;
  #failNext = false;
  #slowByMs = 0;
  #waiting: (() => void)[] = [];
  #interruption: (() => void) | null = null;
  #damaged = false;
  #healthy = false;

  constructor(
    random: Random,
    rates: DiskRates,
    verdict: Verdict,
    listeners: {
      readonly onDurable: (meaning: LogBatch) => void;
      readonly onSurvived: (meanings: readonly LogBatch[]) => void;
    },
  ) {
    this.#random = random;
    this.#rates = rates;
    this.#verdict = verdict;
    this.#onDurable = listeners.onDurable;
    this.#onSurvived = listeners.onSurvived;
  }

  /** What is stored was changed behind the back of the database. */
  get damaged(): boolean {
    return this.#damaged;
  }

  /** Names the meaning of the next batch. */
  announce(meaning: LogBatch): void {
    this.#nextMeaning = meaning;
  }

  /** Calls once, while a batch is being written or just after. */
  duringNextWrite(action: () => void): void {
    this.#interruption = action;
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
    this.#onSurvived(this.#written.flatMap(({ meaning }) => meaning ?? []));
  }

  /** Loses batches from the middle of the database, or flips a bit of a stored value. To be called while it is closed. */
  damage(kind: "flipped bit" | "lost middle"): void {
    if (this.#written.length < 4) return;
    this.#damaged = true;
    const at = this.#random.below(this.#written.length - 2);
    if (kind === "lost middle") {
      this.#written.splice(at, 1 + this.#random.below(this.#written.length - 1 - at));
      return;
    }
    const put = this.#written[at]?.operations.find((operation) => operation.type === "put");
    if (put === undefined) return;
    const flipped = Buffer.from(put.value);
    const byte = this.#random.below(flipped.length);
    flipped[byte] = (flipped[byte] ?? 0) ^ (1 << this.#random.below(8));
    put.value = flipped;
  }

  /** The database as this process opens it. */
  database(process: Process): LogDatabase {
    let contents = new Map<string, Buffer>();
    let failure: Error | null = null;
    return {
      location: "disk",
      open: () => {
        // What is recovered goes into a new, synced file.
        for (const batch of this.#written) this.#becomeDurable(batch);
        this.#file++;
        contents = contentsOf(this.#written);
        return Promise.resolve();
      },
      get: (key) => Promise.resolve(contents.get(key.toString("latin1"))),
      batch: (operations, { sync }) => {
        if (this.#full) {
          this.#verdict.mark("disk full");
          failure ??= new Error("IO error: No space left on device");
        }
        if (failure !== null) return Promise.reject(failure);
        if (this.#written.length % this.#rates.batchesPerFile === 0) this.#file++;
        const batch: Written = {
          operations,
          meaning: this.#nextMeaning,
          file: this.#file,
          state: "in-flight",
        };
        this.#nextMeaning = null;
        this.#written.push(batch);
        const fails = this.#failNext;
        this.#failNext = false;
        return new Promise((resolve, reject) => {
          const finish = (): void => {
            if (!process.alive) return;
            if (fails) {
              this.#verdict.mark("disk error");
              failure = new Error("IO error: fdatasync: Input/output error");
              batch.state = "failed";
              return process.post("io", this.#random.around(0.05), () => reject(failure));
            }
            if (sync) this.#sync(batch);
            else batch.state = "answered";
            // The answer comes after the fact, and a crash may come between them.
            process.post("io", this.#random.around(0.05), resolve);
          };
          const writingMs = sync ? this.#fsyncMs() : 0.01;
          if (this.#interruption !== null) {
            process.device(this.#random.next() * 1.2 * writingMs, this.#interruption);
            this.#interruption = null;
          }
          process.device(writingMs, () => {
            if (this.#hung && sync) this.#waiting.push(finish);
            else finish();
          });
        });
      },
      iterator: (range) => ascending(contents, range.gte.toString("latin1"), range.lt.toString("latin1")),
      close: () => Promise.resolve(),
    };
  }

  #fsyncMs(): number {
    const slow = !this.#healthy && this.#random.chance(this.#rates.slowFsync) ? 100 : 1;
    return this.#random.around(this.#rates.fsyncMs) * slow + this.#slowByMs;
  }

  /** An fsync covers the file that is being written, and no file that was closed before. */
  #sync(last: Written): void {
    for (const batch of this.#written) {
      if (batch.file === last.file && batch.state !== "failed") this.#becomeDurable(batch);
      if (batch === last) return;
    }
  }

  #becomeDurable(batch: Written): void {
    if (batch.state === "synced") return;
    batch.state = "synced";
    if (batch.meaning !== null) this.#onDurable(batch.meaning);
  }
}

function contentsOf(written: readonly Written[]): Map<string, Buffer> {
  const contents = new Map<string, Buffer>();
  for (const { operations } of written) {
    for (const operation of operations) {
      const key = operation.key.toString("latin1");
      if (operation.type === "put") contents.set(key, operation.value);
      else contents.delete(key);
    }
  }
  return contents;
}

async function* ascending(
  contents: ReadonlyMap<string, Buffer>,
  from: string,
  to: string,
): AsyncGenerator<[Buffer, Buffer]> {
  const found = [...contents].filter(([key]) => key >= from && key < to);
  for (const [key, value] of found.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    yield [Buffer.from(key, "latin1"), value];
  }
}
