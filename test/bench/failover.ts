import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { HELD_POOL, SubmitLoad, type Submit } from "../cluster/submit-load.ts";
import type { TestDaemon } from "../cluster/test-daemon.ts";
import { TestMesh } from "../cluster/test-mesh.ts";
import type { BenchArguments, BenchResult } from "./bench.ts";
import { percentile } from "./percentile.ts";
import { durationsMs, RawLog, readRawLog } from "./raw-log.ts";

const daemons = 3;
const roundsDefault = 100;
const perSecond = 50;
/** From a whole mesh to the next kill, drawn evenly, so that no kill is in step with what the daemons do in turns. */
const calmMsMin = 300;
const calmMsMax = 800;
const percents = [50, 90, 99, 100] as const;

/**
 * The leader of three real daemons is killed (SIGKILL) again and again under a constant load of submits, of which a third
 * is first sent to each daemon. Measured is how long after the kill a submit is acknowledged that was sent after it. A
 * killed daemon is started again, and the next kill waits until its log has what the leader's had.
 *
 *   --rounds N   how often (100)
 */
export async function run({ rawFile, flags }: BenchArguments): Promise<BenchResult> {
  const { values } = parseArgs({ args: [...flags], options: { rounds: { type: "string" } } });
  const rounds = Number(values.rounds ?? roundsDefault);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds wants a whole number above 0: ${values.rounds}`);
  const pool = (number: number): string => (number === daemons ? HELD_POOL : "default");
  const mesh = await TestMesh.start({ daemons, slots: 2, pool });
  try {
    const raw = new RawLog(rawFile);
    const round = new Round(mesh, raw);
    const load = await SubmitLoad.start(mesh, {
      perSecond,
      onAcknowledged: (submit) => round.acknowledged(submit),
    });
    for (let number = 1; number <= rounds; number += 1) await round.run(number);
    await load.stop();
    raw.close();
    const { acknowledged, lost, doubled } = await load.count();
    const { table, result } = figuresOf(rawFile);
    const counts = { acknowledged, lost: lost.length, doubled: doubled.length };
    const broken = [
      ...lost.map((request) => `lost ${request}`),
      ...doubled.map((request) => `doubled ${request}`),
    ];
    const verdict = `${acknowledged} submits acknowledged, ${lost.length} lost, ${doubled.length} made two jobs`;
    return {
      table: [table, verdict, ...broken].join("\n"),
      result: { ...result, ...counts },
      failed: broken.length > 0,
    };
  } finally {
    await mesh.stop();
  }
}

/** One round after the other, with what is acknowledged meanwhile. */
class Round {
  readonly #mesh: TestMesh;
  readonly #raw: RawLog;
  #number = 0;
  #killedAt = Infinity;
  #served = false;

  constructor(mesh: TestMesh, raw: RawLog) {
    this.#mesh = mesh;
    this.#raw = raw;
  }

  acknowledged({ sentAt, request }: Submit): void {
    if (this.#served || sentAt < this.#killedAt) return;
    this.#served = true;
    this.#raw.add("ack", { round: this.#number, request });
  }

  async run(number: number): Promise<void> {
    const leader = await this.#mesh.leader();
    await sleep(calmMsMin + Math.random() * (calmMsMax - calmMsMin));
    this.#number = number;
    this.#served = false;
    this.#raw.add("kill", { round: number, node: leader.name });
    this.#killedAt = performance.now();
    const killed = leader.kill();
    await this.#mesh.until(() => this.#served, `an acknowledged submit after the kill of ${leader.name}`);
    this.#killedAt = Infinity;
    await killed;
    await leader.start();
    await this.#caughtUp(leader);
  }

  /** Until the daemon's node has a session again, and its log holds what the others' held when it began to serve. */
  async #caughtUp(restarted: TestDaemon): Promise<void> {
    const wanted = Math.max(...this.#mesh.daemons.map((daemon) => daemon.syncedIndex()));
    await this.#mesh.until(() => restarted.syncedIndex() >= wanted, `${restarted.name} to catch up`);
    await this.#mesh.until(async () => {
      const nodes = await this.#mesh.client.nodes();
      return nodes.every(({ state }) => state === "idle" || state === "busy");
    }, "all nodes to have a session");
  }
}

function figuresOf(rawFile: string): Pick<BenchResult, "table" | "result"> {
  const times = durationsMs(readRawLog(rawFile), { from: "kill", to: "ack", by: "round" });
  const rounded = (p: number): number => Math.round(percentile(times, p) * 10) / 10;
  const title = `${times.length} kills of the leader of ${daemons} daemons, ${perSecond} submits/s; ms`;
  const line = (name: string, cells: readonly string[]): string =>
    [name.padEnd(64), ...cells.map((cell) => cell.padStart(9))].join("");
  const table = [
    line(
      title,
      percents.map((p) => (p === 100 ? "max" : `p${p}`)),
    ),
    line(
      "from the kill to the next acknowledged submit",
      percents.map((p) => rounded(p).toFixed(1)),
    ),
  ].join("\n");
  return {
    table,
    result: { rounds: times.length, p50Ms: rounded(50), p99Ms: rounded(99), maxMs: rounded(100) },
  };
}
