import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { explain, MARKS, tryOnce } from "./trial.ts";
import type { Trial } from "./trial.ts";
import type { Report } from "./worker.ts";

/**
 * Simulates whole replica groups, one seed after another, each twice.
 *
 *   --seeds N    how many (100)
 *   --from S     the first seed (1)
 *   --jobs N     processes that share the seeds (one for each core)
 *   --keep A,B   of one seed, let only the faults at these positions strike, or `none`
 *   --json       only the last line: the result as a JSON object
 *
 * Exits with 1 when a seed fails, or when 500 seeds or more leave out one of the rare situations.
 */
const { values: options } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    jobs: { type: "string", default: String(availableParallelism()) },
    keep: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const seeds = wholeNumber("--seeds", options.seeds);
const from = wholeNumber("--from", options.from);
const jobs = Math.min(seeds, wholeNumber("--jobs", options.jobs));

/** From this many seeds on, every rare situation must have been met. */
const SEEDS_FOR_ALL_MARKS = 500;

/** A run makes much that dies young, and what survives a collection is copied: few collections copy less. */
const WORKER_FLAGS = ["--max-semi-space-size=64"];

if (options.keep !== undefined) await runKept(options.keep);
else await runAll();

async function runKept(keep: string): Promise<void> {
  const kept = keep === "none" ? [] : keep.split(",").map((position) => wholeNumber("--keep", position));
  const { failure, events, operations } = await tryOnce(from, kept);
  console.log(failure === null ? `seed ${from} passes` : `${failure.invariant}\n${failure.detail}`);
  console.log(`${events} events, ${operations} operations`);
  process.exitCode = failure === null ? 0 : 1;
}

async function runAll(): Promise<void> {
  const began = performance.now();
  const counts = new Map(MARKS.map((mark) => [mark, 0]));
  const failed: Trial[] = [];
  let done = 0;
  let events = 0;
  let operations = 0;
  let coreSeconds = 0;
  const take = ({ trial, coreSeconds: used }: Report): void => {
    done++;
    coreSeconds += used;
    events += trial.events;
    operations += trial.operations;
    for (const mark of trial.marks) counts.set(mark, (counts.get(mark) ?? 0) + 1);
    if (trial.failure !== null) failed.push(trial);
    if (!options.json && done % 100 === 0) console.log(`${done} seeds, ${failed.length} failed`);
  };
  let next = from;
  const nextSeed = (): number | null => (next < from + seeds ? next++ : null);
  await Promise.all(Array.from({ length: jobs }, () => work(nextSeed, take)));
  const wallSeconds = (performance.now() - began) / 1000;
  const missed = seeds < SEEDS_FOR_ALL_MARKS ? [] : MARKS.filter((mark) => counts.get(mark) === 0);
  const marks = Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  if (!options.json) {
    for (const [mark, count] of Object.entries(marks)) console.log(`${String(count).padStart(6)} ${mark}`);
    for (const { seed, failure } of failed.slice(0, 3)) {
      if (failure !== null) console.log(await explain(seed, failure));
    }
    for (const mark of missed) console.log(`no seed has gone through: ${mark}`);
  }
  const result = {
    seeds,
    from,
    passed: done - failed.length,
    failed: failed.length + missed.length,
    failedSeeds: failed.map(({ seed }) => seed),
    events,
    operations,
    wallSeconds: Math.round(10 * wallSeconds) / 10,
    coreSecondsPerSeed: Math.round((1_000 * coreSeconds) / done) / 1_000,
    marks,
  };
  console.log(JSON.stringify(result));
  process.exitCode = result.failed === 0 && done === seeds ? 0 : 1;
}

/** A process of its own that runs one seed after another, until there is no next one. */
function work(nextSeed: () => number | null, take: (report: Report) => void): Promise<void> {
  const worker = fork(join(import.meta.dirname, "worker.ts"), [], { execArgv: WORKER_FLAGS });
  const give = (): void => {
    const seed = nextSeed();
    if (seed === null) worker.disconnect();
    else worker.send(seed);
  };
  worker.on("message", (report) => {
    take(report as Report);
    give();
  });
  give();
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("exit", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`a process that simulates ended with ${code}`));
    });
  });
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`${name} takes a whole number, not "${text}"`);
  process.exit(2);
}
