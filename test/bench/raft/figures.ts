import { percentile } from "../percentile.ts";
import { readRawLog } from "../raw-log.ts";
import type { BenchResult } from "../bench.ts";

/** One round, as the raw file has it. */
interface Round {
  readonly system: string;
  readonly inFlight: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of one command, in microseconds. */
  readonly leaderUs: number;
  readonly followersUs: number;
  readonly clientUs: number;
}

/** The median of each system at each number in flight, and the ratio of our rate to etcd's. */
export function figuresOf(rawFile: string): BenchResult {
  const rounds = roundsOf(rawFile);
  const result: Record<string, number> = {};
  const lines = [
    "256-byte puts on three members, mutual TLS, fsync on a majority; medians of the rounds",
    row([
      "system",
      "in flight",
      "per s",
      "p50 ms",
      "p99 ms",
      "CPU us per put:",
      "leader",
      "others",
      "client",
    ]),
  ];
  const raw: string[] = [];
  for (const inFlight of new Set(rounds.map((round) => round.inFlight))) {
    for (const system of new Set(rounds.map((round) => round.system))) {
      const own = rounds.filter((round) => round.system === system && round.inFlight === inFlight);
      const median = (of: (round: Round) => number): number => percentile(own.map(of), 50);
      const perSecond = Math.round(median((round) => round.perSecond));
      result[`${system}${inFlight}`] = perSecond;
      // prettier-ignore
      lines.push(row([
        system, String(inFlight), String(perSecond),
        median((round) => round.p50Ms).toFixed(2), median((round) => round.p99Ms).toFixed(2), "",
        median((round) => round.leaderUs).toFixed(0), median((round) => round.followersUs).toFixed(0),
        median((round) => round.clientUs).toFixed(0),
      ]));
      raw.push(
        `${system} ${inFlight}: ${own.map((round) => Math.round(round.perSecond)).join(", ")} per s in each round`,
      );
    }
    const [ours, theirs] = [result[`gpumesh${inFlight}`], result[`etcd${inFlight}`]];
    if (ours !== undefined && theirs !== undefined)
      result[`ratio${inFlight}`] = Math.round((ours / theirs) * 100) / 100;
  }
  return { table: [...lines, ...raw].join("\n"), result };
}

function roundsOf(rawFile: string): readonly Round[] {
  const events = readRawLog(rawFile);
  return events.flatMap((stop) => {
    if (stop.event !== "stop") return [];
    const { system, inFlight, round } = stop;
    const start = events.find(
      (event) =>
        event.event === "start" &&
        event["system"] === system &&
        event["inFlight"] === inFlight &&
        event["round"] === round,
    );
    if (start === undefined) throw new Error(`round ${round} of ${system} did not start`);
    const commands = Number(stop["commands"]);
    const perCommandUs = (field: string): number => (Number(stop[field]) * 1_000) / commands;
    return {
      system: String(system),
      inFlight: Number(inFlight),
      perSecond: commands / ((stop.at - start.at) / 1e9),
      p50Ms: Number(stop["p50Ms"]),
      p99Ms: Number(stop["p99Ms"]),
      leaderUs: perCommandUs("leaderMs"),
      followersUs: perCommandUs("followersMs"),
      clientUs: perCommandUs("clientMs"),
    };
  });
}

function row([first = "", ...cells]: readonly string[]): string {
  return [
    first.padEnd(10),
    ...cells.map((cell) => cell.padStart(cell.length > 9 ? cell.length + 2 : 10)),
  ].join("");
}
