import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { TestMesh } from "../cluster/test-mesh.ts";
import type { BenchArguments, BenchResult } from "./bench.ts";
import { percentile } from "./percentile.ts";
import { durationsMs, monotonicNs, RawLog, readRawLog, unanswered } from "./raw-log.ts";

const daemons = 3;
const jobsDefault = 100;
const warmUpJobs = 5;
/** Between two jobs, for the mesh to be idle again: after a job its nodes clear up what is left of it. */
const restMs = 250;
const percents = [50, 90, 99, 100] as const;

/**
 * How long after the call to submit a job's only rank runs, on an idle mesh of three daemons, one job after the other.
 * The rank itself says when it runs: the first thing it does is to start date(1), so that program's own start counts too.
 *
 *   --jobs N   how many are measured (100); five more go before them
 */
export async function run({ rawFile, flags }: BenchArguments): Promise<BenchResult> {
  const { values } = parseArgs({ args: [...flags], options: { jobs: { type: "string" } } });
  const jobs = Number(values.jobs ?? jobsDefault);
  if (!Number.isInteger(jobs) || jobs < 1)
    throw new Error(`--jobs wants a whole number above 0: ${values.jobs}`);
  const mesh = await TestMesh.start({ daemons, slots: 2 });
  try {
    const raw = new RawLog(rawFile);
    for (let number = 1 - warmUpJobs; number <= jobs; number += 1) {
      await measureOne(mesh, number, raw);
      await sleep(restMs);
    }
    raw.close();
  } finally {
    await mesh.stop();
  }
  return figuresOf(rawFile);
}

async function measureOne(mesh: TestMesh, number: number, raw: RawLog): Promise<void> {
  const told = join(mesh.dir, `start-${number}`);
  const commandLine = `date +%s%N >${told}`;
  const job = { name: "latency", slotsPerNode: 1, customToolkitSettings: { commandLine } };
  // The two clocks may drift apart over the whole run, but not within one job.
  const wallAheadNs = (performance.timeOrigin + performance.now()) * 1e6 - monotonicNs();
  const submitNs = monotonicNs();
  const id = await mesh.submit(job);
  const ackNs = monotonicNs();
  await mesh.succeeded(id);
  if (number < 1) return;
  raw.add("submit", { job: id }, submitNs);
  raw.add("ack", { job: id }, ackNs);
  raw.add("start", { job: id }, Math.round(Number(readFileSync(told, "utf8")) - wallAheadNs));
}

function figuresOf(rawFile: string): BenchResult {
  const events = readRawLog(rawFile);
  const missing = unanswered(events, { from: "submit", to: "start", by: "job" });
  if (missing.length > 0)
    throw new Error(`jobs ${missing.join(", ")} did not start after they were submitted`);
  const acks = durationsMs(events, { from: "submit", to: "ack", by: "job" });
  const starts = durationsMs(events, { from: "submit", to: "start", by: "job" });
  const row = (title: string, cells: readonly string[]): string =>
    [title.padEnd(28), ...cells.map((cell) => cell.padStart(9))].join("");
  const figures = (values: readonly number[]): readonly string[] =>
    percents.map((p) => percentile(values, p).toFixed(1));
  const table = [
    `${starts.length} jobs of one rank, one after the other, on ${daemons} idle daemons; ms`,
    row(
      "from the call to submit",
      percents.map((p) => (p === 100 ? "max" : `p${p}`)),
    ),
    row("to its acknowledgement", figures(acks)),
    row("to the rank's first action", figures(starts)),
  ].join("\n");
  const rounded = (p: number): number => Math.round(percentile(starts, p) * 100) / 100;
  return { table, result: { p50Ms: rounded(50), p99Ms: rounded(99) } };
}
