import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { explain, MARKS, tryOnce, tryTwice } from "./trial.ts";
import type { Trial } from "./trial.ts";

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
    share: { type: "string" },
  },
});
const seeds = wholeNumber("--seeds", options.seeds);
const from = wholeNumber("--from", options.from);
const jobs = Math.min(seeds, wholeNumber("--jobs", options.jobs));

/** From this many seeds on, every rare situation must have been met. */
const SEEDS_FOR_ALL_MARKS = 500;

if (options.share !== undefined) await runShare(wholeNumber("--share", options.share));
else if (options.keep !== undefined) await runKept(options.keep);
else await runAll();

/** Runs every `jobs`-th seed, and tells the parent of each. */
async function runShare(first: number): Promise<void> {
  for (let seed = from + first; seed < from + seeds; seed += jobs) process.send?.(await tryTwice(seed));
  process.disconnect();
}

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
  const take = (trial: Trial): void => {
    done++;
    events += trial.events;
    operations += trial.operations;
    for (const mark of trial.marks) counts.set(mark, (counts.get(mark) ?? 0) + 1);
    if (trial.failure !== null) failed.push(trial);
    if (!options.json && done % 100 === 0) console.log(`${done} seeds, ${failed.length} failed`);
  };
  await Promise.all(Array.from({ length: jobs }, (_, share) => collect(share, take)));
  const seconds = (performance.now() - began) / 1000;
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
    seconds: Math.round(seconds),
    eventsPerSecond: Math.round((2 * events) / seconds),
    marks,
  };
  console.log(JSON.stringify(result));
  process.exitCode = result.failed === 0 && done === seeds ? 0 : 1;
}

/** Runs a share of the seeds in a process of its own. */
function collect(share: number, take: (trial: Trial) => void): Promise<void> {
  const args = ["--seeds", seeds, "--from", from, "--jobs", jobs, "--share", share].map(String);
  const child = fork(import.meta.filename, args);
  child.on("message", (trial) => take(trial as Trial));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
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
