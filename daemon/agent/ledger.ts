import { closeSync, fsync, openSync, renameSync, writeFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import type { Attempt, CommandExit, Fence, JobSpec } from "../../scheduler/model/job.ts";
import type { JobId } from "../../scheduler/model/ids.ts";
import { jobId } from "../../scheduler/model/ids.ts";
import { parseAttempt, parseJobSpec, parsePartReport } from "../../scheduler/model/schemas.ts";

/** Attempts kept; beyond it the oldest that are stopped are forgotten. The leader's fences still refuse those. */
const ENTRIES_MAX = 10_000;

/**
 * What this node was told to do with one attempt, on disk before it is done:
 * `assigned` before anything is prepared, `started` before the first command, `stopped` (the tombstone) before the
 * leader hears that nothing is left. An attempt that is stopped never starts again.
 */
export type LedgerEntry = AssignedEntry | Tombstone;

export interface AssignedEntry {
  readonly kind: "assigned" | "started" | "stopped";
  readonly job: JobId;
  readonly spec: JobSpec;
  readonly attempt: Attempt;
  readonly partIndex: number;
  /** How its commands ended; complete once stopped. */
  readonly exits: readonly CommandExit[];
}

/** Written when an attempt is stopped that this node had never heard of. */
export interface Tombstone {
  readonly kind: "tombstone";
  readonly job: JobId;
  readonly attemptNumber: number;
  readonly fence: Fence;
}

export class LedgerError extends Error {
  override readonly name = "LedgerError";
}

/** `12.1` names attempt 1 of job 12, in file names and cgroups. */
export function attemptKey(job: JobId, attemptNumber: number): string {
  return `${job}.${attemptNumber}`;
}

export function entryKey(entry: LedgerEntry): string {
  return attemptKey(entry.job, entry.kind === "tombstone" ? entry.attemptNumber : entry.attempt.number);
}

/** The node's durable memory of attempts, one file each, and of the highest leader term obeyed. */
export class Ledger {
  readonly #dir: string;
  readonly #entriesMax: number;
  readonly #entries = new Map<string, LedgerEntry>();
  #highestTerm = 0;

  private constructor(dir: string, entriesMax: number) {
    this.#dir = dir;
    this.#entriesMax = entriesMax;
  }

  /** Reads the ledger in `dir`, making it when absent. Throws LedgerError on a file that does not parse. */
  static async open(dir: string, entriesMax = ENTRIES_MAX): Promise<Ledger> {
    const ledger = new Ledger(dir, entriesMax);
    await mkdir(dir, { recursive: true, mode: 0o700 });
    // File names in the order of jobs and attempts, for the oldest are forgotten first.
    const names = (await readdir(dir)).toSorted(new Intl.Collator("en", { numeric: true }).compare);
    for (const name of names) {
      const path = join(dir, name);
      if (name.endsWith(".tmp")) await rm(path, { force: true });
      else if (name === "term") ledger.#highestTerm = parseTerm(await readFile(path, "utf8"), path);
      else if (name.endsWith(".json")) {
        const entry = parseEntry(await readFile(path, "utf8"), path);
        ledger.#entries.set(entryKey(entry), entry);
      }
    }
    return ledger;
  }

  get(key: string): LedgerEntry | undefined {
    return this.#entries.get(key);
  }

  entries(): readonly LedgerEntry[] {
    return [...this.#entries.values()];
  }

  /** The newest attempt of the job that this node has heard of; 0 for none. */
  newestAttempt(job: JobId): number {
    let newest = 0;
    for (const entry of this.#entries.values()) {
      if (entry.job !== job) continue;
      const number = entry.kind === "tombstone" ? entry.attemptNumber : entry.attempt.number;
      newest = Math.max(newest, number);
    }
    return newest;
  }

  /** Writes and syncs the entry, then remembers it. */
  async write(entry: LedgerEntry): Promise<void> {
    const key = entryKey(entry);
    await writeDurably(this.#dir, `${key}.json`, JSON.stringify(entry));
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    await this.#forgetOldest();
  }

  highestTerm(): number {
    return this.#highestTerm;
  }

  /** Remembers a leader's term; false when a higher one was obeyed before, so its orders must be refused. */
  async acceptTerm(term: number): Promise<boolean> {
    if (term < this.#highestTerm) return false;
    if (term > this.#highestTerm) {
      await writeDurably(this.#dir, "term", `${term}\n`);
      this.#highestTerm = term;
    }
    return true;
  }

  async #forgetOldest(): Promise<void> {
    if (this.#entries.size <= this.#entriesMax) return;
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= this.#entriesMax) return;
      if (entry.kind !== "tombstone" && entry.kind !== "stopped") continue;
      this.#entries.delete(key);
      await rm(join(this.#dir, `${key}.json`), { force: true });
    }
  }
}

/**
 * Replaces a file so that after a crash either the old or the new content stands, never a part. Only what waits for the
 * disk leaves the event loop: for the rest the way to another thread and back takes longer than the call.
 */
async function writeDurably(dir: string, name: string, content: string): Promise<void> {
  const path = join(dir, name);
  const temporary = `${path}.tmp`;
  await synced(temporary, "w", (file) => writeFileSync(file, content));
  renameSync(temporary, path);
  await synced(dir, "r", () => undefined);
}

async function synced(path: string, flags: string, work: (file: number) => void): Promise<void> {
  const file = openSync(path, flags, 0o600);
  try {
    work(file);
    await fsyncFile(file);
  } finally {
    closeSync(file);
  }
}

const fsyncFile = promisify(fsync);

const fence = z.strictObject({ epoch: z.int(), index: z.int() });
const envelope = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("tombstone"), job: z.int(), attemptNumber: z.int(), fence }),
  z.strictObject({
    kind: z.enum(["assigned", "started", "stopped"]),
    job: z.int(),
    spec: z.unknown(),
    attempt: z.unknown(),
    partIndex: z.int().min(0),
    exits: z.unknown(),
  }),
]);

function parseTerm(text: string, path: string): number {
  if (/^\d+\n$/.test(text)) return Number(text);
  throw new LedgerError(
    `the ledger file ${path} can not be read (it reads ${JSON.stringify(text.slice(0, 100))}). An order of a leader ` +
      `that was replaced could be obeyed; move the file away once this machine has no jobs, then start the daemon again`,
  );
}

function parseEntry(text: string, path: string): LedgerEntry {
  const damaged = (why: string): LedgerError =>
    new LedgerError(
      `the ledger file ${path} can not be read (${why}). Nothing of that attempt may be assumed; ` +
        `move the file away after making sure that none of its processes run, then start the daemon again`,
    );
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw damaged("not a JSON document");
  }
  const parsed = envelope.safeParse(document);
  if (!parsed.success) throw damaged(parsed.error.issues[0]?.message ?? "does not fit");
  const entry = parsed.data;
  if (entry.kind === "tombstone") return { ...entry, job: jobId(entry.job) };
  const spec = parseJobSpec(JSON.stringify(entry.spec));
  const attempt = parseAttempt(JSON.stringify(entry.attempt));
  const report = parsePartReport(JSON.stringify({ kind: "stopped", exits: entry.exits }));
  if (spec.kind === "malformed") throw damaged(spec.reason);
  if (attempt.kind === "malformed") throw damaged(attempt.reason);
  if (report.kind === "malformed" || report.value.kind !== "stopped") throw damaged("exits do not fit");
  return {
    kind: entry.kind,
    job: jobId(entry.job),
    spec: spec.value,
    attempt: attempt.value,
    partIndex: entry.partIndex,
    exits: report.value.exits,
  };
}
