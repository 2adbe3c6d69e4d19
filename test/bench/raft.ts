import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { BenchArguments, BenchResult } from "./bench.ts";
import { etcdMissing, startEtcd } from "./raft/etcd-group.ts";
import { startGpumesh } from "./raft/gpumesh-group.ts";
import { leaderOf, type Group } from "./raft/group.ts";
import type { LoadOrder, LoadReport } from "./raft/load.ts";
import { figuresOf } from "./raft/figures.ts";
import { nextMessage, startTied, type TiedProcess } from "./raft/tied-process.ts";
import { RawLog } from "./raw-log.ts";

const inFlights = [1, 64, 1024] as const;
const connectionsMax = 8;
const keys = 100_000;
const valueBytes = 256;
const warmUpMs = 1_000;
/** Before all rounds: our members and the client are compiled as they run, which is not what a daemon of some age does. */
const warmUpCommands = 50_000;
const roundsDefault = 5;
const secondsDefault = 3;

/**
 * Committed commands per second of three members of ours beside three of etcd, all on this machine and disk, loaded by one
 * client program in short rounds that take turns. A command is a Put of 256 bytes in one unary call to the leader, over
 * mutual TLS, answered when a majority has it with fsync and the leader has applied it.
 *
 *   --rounds N     rounds of each system at each number in flight (5)
 *   --seconds S    how long each is measured (3); a second of warm-up goes before it
 *   --profile DIR  writes CPU profiles of our members and of the client there
 *   --only N       in flight, in place of 1, 64 and 1024; --without-etcd leaves etcd out; both for looking into one thing
 */
export async function run({ rawFile, flags }: BenchArguments): Promise<BenchResult> {
  const { values } = parseArgs({
    args: [...flags],
    options: {
      rounds: { type: "string", default: String(roundsDefault) },
      seconds: { type: "string", default: String(secondsDefault) },
      profile: { type: "string" },
      only: { type: "string" },
      "without-etcd": { type: "boolean", default: false },
    },
  });
  const rounds = positive("--rounds", values.rounds);
  const measureMs = positive("--seconds", values.seconds) * 1_000;
  const missing = values["without-etcd"] ? null : etcdMissing();
  if (missing !== null) throw new Error(missing);
  const nodeArguments = values.profile === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", values.profile];
  const folder = mkdtempSync(join(tmpdir(), "gpumesh-bench-raft-"));
  const network = `127.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  const hosts = (from: number): readonly string[] => [0, 1, 2].map((nth) => `${network}.${from + nth}`);
  const groups: Group[] = [];
  let client: TiedProcess | null = null;
  const raw = new RawLog(rawFile);
  try {
    groups.push(await startGpumesh(hosts(1), { folder: join(folder, "gpumesh"), nodeArguments }));
    if (!values["without-etcd"]) groups.push(await startEtcd(hosts(11), { folder: join(folder, "etcd") }));
    const program = join(import.meta.dirname, "raft/load.ts");
    client = startTied([process.execPath, ...nodeArguments, program], {
      logFile: join(folder, "client.log"),
      ipc: true,
    });
    const sizes = values.only === undefined ? inFlights : [positive("--only", values.only)];
    await measureAll({ client, groups, sizes, rounds, measureMs, raw });
  } finally {
    raw.close();
    await Promise.all([client?.stop(), ...groups.map((group) => group.stop())]);
    rmSync(folder, { recursive: true });
  }
  return figuresOf(rawFile);
}

async function measureAll(options: {
  readonly client: TiedProcess;
  readonly groups: readonly Group[];
  readonly sizes: readonly number[];
  readonly rounds: number;
  readonly measureMs: number;
  readonly raw: RawLog;
}): Promise<void> {
  const { client, groups, sizes, rounds, measureMs, raw } = options;
  for (const group of groups) {
    for (let commands = 0; commands < warmUpCommands;)
      commands += (await measure(client, group, { inFlight: 256, measureMs })).report.commands;
  }
  for (const inFlight of sizes) {
    for (let round = 1; round <= rounds; round += 1) {
      for (const group of round % 2 === 1 ? groups : groups.toReversed()) {
        const { report, leader } = await measure(client, group, { inFlight, measureMs });
        const { commands, p50Ms, p99Ms, clientMs, membersMs } = report;
        const leaderMs = membersMs[leader] ?? 0;
        const followersMs = membersMs.reduce((sum, ms) => sum + ms, 0) - leaderMs;
        const about = { system: group.name, inFlight, round };
        raw.add("start", about, report.startNs);
        const costs = { leaderMs, followersMs, clientMs };
        raw.add("stop", { ...about, commands, p50Ms, p99Ms, ...costs }, report.stopNs);
      }
    }
  }
}

async function measure(
  client: TiedProcess,
  group: Group,
  { inFlight, measureMs }: Pick<LoadOrder, "inFlight" | "measureMs">,
): Promise<{ readonly report: LoadReport; readonly leader: number }> {
  const leader = await leaderOf(group);
  const { tls, pids } = group;
  const connections = Math.min(inFlight, connectionsMax);
  const address = group.addresses[leader] ?? "";
  const order: LoadOrder = {
    address,
    tls,
    inFlight,
    connections,
    keys,
    valueBytes,
    warmUpMs,
    measureMs,
    pids,
  };
  const answer = nextMessage(client, "the client");
  client.child.send(order);
  const report = await answer;
  if (typeof report === "string")
    throw new Error(`the load of ${group.name} with ${inFlight} in flight failed: ${report}`);
  return { report: report as LoadReport, leader };
}

function positive(flag: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new Error(`${flag} wants a whole number above 0: ${text}`);
}
