import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PartHandle } from "../executor/executor.ts";
import type { Member } from "../mesh/directory.ts";
import { Agent } from "./agent.ts";
import {
  afterwards,
  commandsOf,
  fakeMachine,
  JOB,
  nodeFacts,
  temporaryFolder,
  TOKEN,
} from "./agent.fixture.ts";
import type { Line } from "./scripted-leader.fixture.ts";
import { linesTo, ScriptedLeader } from "./scripted-leader.fixture.ts";

/** What stays when a daemon restarts. */
export interface Machine extends ReturnType<typeof fakeMachine> {
  readonly dataDir: string;
  readonly log: string[];
}

export function machineWith(...program: Parameters<typeof fakeMachine>): Machine {
  return { ...fakeMachine(...program), dataDir: temporaryFolder(), log: [] };
}

/** The daemon of node n1 starts on that machine, and calls the members in turn. */
export async function daemonOn(machine: Machine, ...members: readonly Member[]): Promise<Agent> {
  const agent = await Agent.open({
    self: "n1",
    dataDir: machine.dataDir,
    executor: machine.executor,
    ...linesTo(...members),
    facts: () => nodeFacts("n1"),
    paths: { rshProgram: "/opt/rsh", path: "/usr/bin:/bin", home: "/root" },
    bootClockMs: () => machine.clock.bootClockMs(),
    onLeftBehind: () => undefined,
    log: (line) => machine.log.push(line),
  });
  afterwards(() => agent.stop());
  agent.start();
  return agent;
}

/** A daemon with a leader, and their line. */
export async function connected(...program: Parameters<typeof fakeMachine>): Promise<{
  readonly machine: Machine;
  readonly leader: ScriptedLeader;
  readonly agent: Agent;
  readonly line: Line;
}> {
  const machine = machineWith(...program);
  const leader = await ScriptedLeader.start();
  const agent = await daemonOn(machine, leader.member(1));
  return { machine, leader, agent, line: await leader.line() };
}

/** Attempt 1 as the executor knows it. */
export function handleIn({ dataDir }: Machine, id = `${JOB}.1`): PartHandle {
  return { id, dir: join(dataDir, "jobs", id), token: TOKEN };
}

/** Waits until a command of that part was started. */
export async function commandStarts(machine: Machine, id: string): Promise<void> {
  const endMs = performance.now() + 5_000;
  while ((await commandsOf(machine.executor, id)).length === 0) {
    if (performance.now() > endMs) throw new Error(`no command of part ${id} was started`);
    await sleep(5);
  }
}
