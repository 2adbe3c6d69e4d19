import { randomInt } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createAuthority } from "../../daemon/security/ca.ts";
import type { BenchArguments, BenchResult } from "./bench.ts";
import { benchMeshId, issue } from "./raft/issue.ts";
import { nextMessage, startTied, type TiedProcess } from "./raft/tied-process.ts";
import { RawLog, readRawLog, type RawEvent } from "./raw-log.ts";
import type { MemberReport, Order, SnapshotMemberConfig } from "./snapshot/orders.ts";
import { PauseWatch } from "./snapshot/pauses.ts";

const jobsDefault = 100_000;
const port = 7480;
/** More than stays in the log, so that who missed them needs a snapshot. */
const missedJobs = 15_000;

/**
 * The pauses of the event loop of two members, each a process of its own with the daemon's store, log and transport, while
 * a state of 100,000 jobs goes from one to the other as a snapshot: first to a member that has nothing, then to the same one
 * with a state of that size, which was away. Before that, the log that made the state is compacted at once. A job is
 * submitted every 10 ms all the time. This process does nothing meanwhile: what its own event loop pauses, the machine did.
 *
 *   --jobs N       how large the state is (100,000)
 *   --profile DIR  writes CPU profiles of the members there
 *   --trace-gc     the members' logs name each garbage collection; --keep keeps the folder with the logs
 */
export async function run({ rawFile, flags }: BenchArguments): Promise<BenchResult> {
  const { values } = parseArgs({
    args: [...flags],
    options: {
      jobs: { type: "string", default: String(jobsDefault) },
      profile: { type: "string" },
      "trace-gc": { type: "boolean", default: false },
      keep: { type: "boolean", default: false },
    },
  });
  const jobs = Number(values.jobs);
  if (!Number.isInteger(jobs) || jobs < 1)
    throw new Error(`--jobs wants a whole number above 0: ${values.jobs}`);
  const nodeArguments = [
    ...(values.profile === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", values.profile]),
    ...(values["trace-gc"] ? ["--trace-gc"] : []),
  ];
  const folder = mkdtempSync(join(tmpdir(), "gpumesh-bench-snapshot-"));
  const raw = new RawLog(rawFile);
  const pair = new Pair(folder, nodeArguments);
  try {
    await measure(pair, jobs, raw);
  } finally {
    raw.close();
    await pair.end();
    if (values.keep) console.error(`The members' logs are in ${folder}.`);
    else rmSync(folder, { recursive: true });
  }
  return figuresOf(rawFile);
}

async function measure(pair: Pair, jobs: number, raw: RawLog): Promise<void> {
  const note = (phase: string, { pauses, jobs: had }: MemberReport): void =>
    raw.add("stop", { phase, jobs: had, ...pauses });
  await pair.start("sender", { founds: true, keepsLog: true });
  await pair.ask("sender", { kind: "fill", jobs });
  await pair.stop("sender");

  await pair.start("sender");
  const compacted = await pair.ask("sender", { kind: "compact" });
  if (compacted.compactions === 0) throw new Error("the log was not compacted");
  raw.add("start", { phase: "start", startMs: compacted.startMs, ...compacted.startPauses });
  note("compaction", compacted);

  const bystander = new PauseWatch();
  for (const round of ["blank", "replaced"]) {
    await pair.start("receiver");
    await pair.ask("sender", { kind: "load" });
    bystander.take();
    raw.add("start", { phase: "transfer", round });
    if (round === "blank") await pair.ask("sender", { kind: "addLearner", member: 2 });
    const received = await pair.ask("receiver", {
      kind: "await",
      jobs: round === "blank" ? jobs : jobs + missedJobs,
    });
    const sent = await pair.ask("sender", { kind: "fill", jobs: 1 });
    raw.add("stop", { phase: "transfer", round });
    if (received.installations === 0) throw new Error("no snapshot was installed");
    note("sender", sent);
    note("receiver", received);
    raw.add("stop", { phase: "bystander", ...bystander.take() });
    await pair.stop("receiver");
    if (round === "blank") await pair.ask("sender", { kind: "fill", jobs: missedJobs });
  }
}

type Role = "sender" | "receiver";

/** The two members' processes. */
class Pair {
  readonly #folder: string;
  readonly #nodeArguments: readonly string[];
  readonly #processes = new Map<Role, TiedProcess>();
  readonly #network = `127.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  readonly #authority = createAuthority(benchMeshId);

  constructor(folder: string, nodeArguments: readonly string[]) {
    this.#folder = folder;
    this.#nodeArguments = nodeArguments;
  }

  async start(
    role: Role,
    { founds = false, keepsLog = false }: { readonly founds?: boolean; readonly keepsLog?: boolean } = {},
  ): Promise<void> {
    const roles: readonly Role[] = ["sender", "receiver"];
    const members = roles.map((name, nth) => {
      return { number: nth + 1, name, address: `${this.#network}.${nth + 1}:${port}` };
    });
    const number = roles.indexOf(role) + 1;
    const home = join(this.#folder, role);
    mkdirSync(home, { recursive: true });
    const config: SnapshotMemberConfig = {
      number,
      folder: join(home, "raft"),
      host: `${this.#network}.${number}`,
      port,
      identity: await issue(await this.#authority, "daemon", role),
      members,
      founds,
      keepsLog,
    };
    const configFile = join(home, "member.json");
    writeFileSync(configFile, JSON.stringify(config), { mode: 0o600 });
    const program = join(import.meta.dirname, "snapshot/member.ts");
    const command = [process.execPath, ...this.#nodeArguments, program, configFile];
    const started = startTied(command, { logFile: join(home, "member.log"), ipc: true });
    this.#processes.set(role, started);
    await nextMessage(started, `the ${role}`);
  }

  async ask(role: Role, order: Order): Promise<MemberReport> {
    const process = this.#processes.get(role);
    if (process === undefined) throw new Error(`the ${role} does not run`);
    const answer = nextMessage(process, `the ${role}`);
    process.child.send(order);
    const report = await answer;
    if (typeof report === "string") throw new Error(`the ${role} could not ${order.kind}: ${report}`);
    return report as MemberReport;
  }

  async stop(role: Role): Promise<void> {
    await this.ask(role, { kind: "stop" });
    await this.#processes.get(role)?.stop();
    this.#processes.delete(role);
  }

  async end(): Promise<void> {
    await Promise.all([...this.#processes.values()].map((process) => process.stop()));
  }
}

const figures = ["maxMs", "p99Ms", "busyMaxMs"] as const;

function figuresOf(rawFile: string): BenchResult {
  const events = readRawLog(rawFile);
  const of = (phase: string): readonly RawEvent[] => events.filter((event) => event["phase"] === phase);
  const worst = (phase: string, figure: (typeof figures)[number]): number =>
    Math.round(Math.max(...of(phase).map((event) => Number(event[figure]))) * 10) / 10;
  const transfers = of("transfer").map(({ at }) => at);
  const seconds = transfers.map((at, nth) => (nth % 2 === 0 ? 0 : (at - (transfers[nth - 1] ?? at)) / 1e9));
  const phases = ["sender", "receiver", "bystander", "compaction", "start"];
  const row = (title: string, cells: readonly (string | number)[]): string =>
    [title.padEnd(24), ...cells.map((cell) => String(cell).padStart(10))].join("");
  const jobs = Math.max(...of("sender").map((event) => Number(event["jobs"])));
  const table = [
    `pauses of the event loop with a state of ${jobs} jobs, in ms; busy: processor time of the thread in one turn`,
    row("", ["max", "p99", "busy max"]),
    ...phases.flatMap((phase) =>
      of(phase)
        .filter((event) => "maxMs" in event)
        .map((event) =>
          row(
            phase,
            figures.map((figure) => Number(event[figure]).toFixed(1)),
          ),
        ),
    ),
  ].join("\n");
  return {
    table,
    result: {
      senderPauseMaxMs: worst("sender", "maxMs"),
      senderPauseP99Ms: worst("sender", "p99Ms"),
      senderBusyMaxMs: worst("sender", "busyMaxMs"),
      receiverPauseMaxMs: worst("receiver", "maxMs"),
      receiverPauseP99Ms: worst("receiver", "p99Ms"),
      receiverBusyMaxMs: worst("receiver", "busyMaxMs"),
      compactionPauseMaxMs: worst("compaction", "maxMs"),
      compactionBusyMaxMs: worst("compaction", "busyMaxMs"),
      bystanderPauseMaxMs: worst("bystander", "maxMs"),
      bystanderPauseP99Ms: worst("bystander", "p99Ms"),
      startPauseMaxMs: worst("start", "maxMs"),
      startMs: Math.round(Number(of("start")[0]?.["startMs"])),
      jobs,
      seconds: Math.round(Math.max(...seconds) * 10) / 10,
    },
  };
}
