import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { connectMesh, readContext, type Mesh } from "../../cli/client/client.ts";
import { TestMesh } from "../cluster/test-mesh.ts";
import type { BenchArguments, BenchResult } from "./bench.ts";
import { percentile } from "./percentile.ts";
import { durationsMs, RawLog, readRawLog, type RawEvent } from "./raw-log.ts";

const daemons = 3;
const warmUpMs = 3_000;
const secondsDefault = 5;
/** Jobs in one call of the batched round. */
const batchJobs = 100;
const waitingJob = JSON.stringify({
  name: "waits",
  slotsPerNode: 1,
  customToolkitSettings: { commandLine: "true" },
});

/** What one round does: so many clients, each with a connection of its own and one call at a time. */
interface Round {
  readonly key: "perSecond1" | "perSecond64" | "batchedPerSecond";
  readonly title: string;
  readonly clients: number;
  readonly jobsPerCall: number;
}

const rounds: readonly Round[] = [
  { key: "perSecond1", title: "1 client", clients: 1, jobsPerCall: 1 },
  { key: "perSecond64", title: "64 clients", clients: 64, jobsPerCall: 1 },
  {
    key: "batchedPerSecond",
    title: `4 clients, ${batchJobs} jobs a call`,
    clients: 4,
    jobsPerCall: batchJobs,
  },
];

/**
 * Jobs that three real daemons acknowledge in a second, through the client that users have: each is on the disks of a
 * majority then. The jobs wait behind one that holds all slots, so that no process runs for them. Each round has a mesh of
 * its own, since a longer queue is more work.
 *
 *   --seconds S  how long each round is measured (5); three more go before it
 */
export async function run({ rawFile, flags }: BenchArguments): Promise<BenchResult> {
  const options = { seconds: { type: "string", default: String(secondsDefault) } } as const;
  const { values } = parseArgs({ args: [...flags], options });
  const seconds = Number(values.seconds);
  if (!Number.isInteger(seconds) || seconds < 1)
    throw new Error(`--seconds wants a whole number above 0: ${values.seconds}`);
  const raw = new RawLog(rawFile);
  try {
    for (const round of rounds) {
      const mesh = await TestMesh.start({ daemons, slots: 1 });
      try {
        await measure(mesh, round, { raw, measureMs: seconds * 1_000 });
      } finally {
        await mesh.stop();
      }
    }
  } finally {
    raw.close();
  }
  return figuresOf(rawFile);
}

async function measure(
  mesh: TestMesh,
  round: Round,
  { raw, measureMs }: { readonly raw: RawLog; readonly measureMs: number },
): Promise<void> {
  const toolkit = { customToolkitSettings: { commandLine: "exec sleep 86400" } };
  const holder = await mesh.submit({ name: "holder", nodeCount: daemons, slotsPerNode: 1, ...toolkit });
  await mesh.inState(holder, "running");
  const clients = await clientsOf(mesh, round.clients);
  const { key } = round;
  let calls = 0;
  let ending = false;
  const load = async (client: Mesh): Promise<void> => {
    while (!ending) {
      const call = (calls += 1);
      raw.add("submit", { round: key, call });
      const jobs = await submitOnce(client, round.jobsPerCall);
      raw.add("ack", { round: key, call, jobs });
    }
  };
  const all = Promise.all(clients.map(load));
  // A failure of the load is the failure of the round, and not told later.
  await Promise.race([all, sleep(warmUpMs)]);
  raw.add("start", { round: key });
  await Promise.race([all, sleep(measureMs)]);
  raw.add("stop", { round: key });
  ending = true;
  await all;
  for (const client of clients) client.close();
}

/** How many jobs were acknowledged. */
async function submitOnce(client: Mesh, jobs: number): Promise<number> {
  const answers =
    jobs === 1
      ? [await client.submit(waitingJob)]
      : await client.submitAll(Array.from({ length: jobs }, () => ({ jobFile: waitingJob })));
  const refused = answers.find(({ kind }) => kind !== "submitted");
  if (refused !== undefined) throw new Error(`a job was not taken: ${JSON.stringify(refused)}`);
  return answers.length;
}

/** Clients that ask the leader first, as each does that has been sent to it once. */
async function clientsOf(mesh: TestMesh, count: number): Promise<readonly Mesh[]> {
  const context = await readContext(mesh.contextDir);
  const { address } = await mesh.leader();
  const others = context.addresses.filter((other) => other !== address);
  const own = { ...context, addresses: [address, ...others] };
  return Promise.all(Array.from({ length: count }, () => connectMesh({ context: own })));
}

function figuresOf(rawFile: string): BenchResult {
  const events = readRawLog(rawFile);
  const result: Record<string, number> = {};
  const lines = [`jobs acknowledged by ${daemons} daemons, each durable on a majority`];
  for (const { key, title } of rounds) {
    const own = events.filter((event) => event["round"] === key);
    const start = timeOf(own, "start");
    const stop = timeOf(own, "stop");
    const measured = own.filter(({ event, at }) => event === "ack" && at > start && at <= stop);
    const jobs = measured.reduce((sum, { jobs }) => sum + Number(jobs), 0);
    const inTime = own.filter(({ at }) => at > start && at <= stop);
    const callsMs = durationsMs(inTime, { from: "submit", to: "ack", by: "call" });
    const perSecond = Math.round(jobs / ((stop - start) / 1e9));
    result[key] = perSecond;
    const [p50, p99] = [50, 99].map((p) => percentile(callsMs, p).toFixed(1));
    lines.push(
      `${title.padEnd(26)}${String(perSecond).padStart(7)} jobs/s   a call: p50 ${p50} ms, p99 ${p99} ms`,
    );
  }
  return { table: lines.join("\n"), result };
}

function timeOf(events: readonly RawEvent[], kind: "start" | "stop"): number {
  const found = events.find(({ event }) => event === kind);
  if (found === undefined) throw new Error(`a round has no ${kind}`);
  return found.at;
}
