import { join } from "node:path";
import type { PartReport } from "../../scheduler/model/command.ts";
import type { CommandSpec, Executor, PartHandle } from "../executor/executor.ts";
import type { FakeExecutor, FakeProgram } from "../executor/fake-executor.ts";
import type { ManualClock } from "../executor/manual-clock.ts";
import { assignedEntry, fakeMachine, JOB, temporaryFolder, TOKEN } from "./agent.fixture.ts";
import type { AssignedEntry } from "./ledger.ts";
import { Ledger } from "./ledger.ts";
import type { PartContext } from "./part.ts";
import { Part } from "./part.ts";

/** Fails by itself after a second. */
export const FAILS: FakeProgram = { runsForMs: 1_000, code: 3, onTerm: "end" };

/** One part on one node, and all that it said to the leader. */
export interface PartNode {
  readonly part: Part;
  readonly context: PartContext;
  readonly clock: ManualClock;
  readonly executor: FakeExecutor;
  readonly ledger: Ledger;
  readonly folder: string;
  readonly said: PartReport["kind"][];
  /** The same part under a restarted daemon. */
  readonly restart: () => Promise<PartNode>;
}

interface NodeOptions {
  readonly entry?: Partial<AssignedEntry>;
  readonly program?: (command: CommandSpec) => FakeProgram;
  /** Stands between the part and the machine. */
  readonly through?: (executor: FakeExecutor) => Executor;
}

export async function nodeWith(options: NodeOptions = {}): Promise<PartNode> {
  const { clock, executor } = fakeMachine(options.program);
  const folder = temporaryFolder();
  const ledger = await Ledger.open(join(folder, "ledger"));
  await ledger.write(await assignedEntry(options.entry));
  return open({ clock, executor, folder, through: options.through?.(executor) ?? executor });
}

async function open(machine: {
  readonly clock: ManualClock;
  readonly executor: FakeExecutor;
  readonly through: Executor;
  readonly folder: string;
}): Promise<PartNode> {
  const { clock, executor, folder } = machine;
  const ledger = await Ledger.open(join(folder, "ledger"));
  const [entry] = ledger.entries();
  if (entry === undefined || entry.kind === "tombstone") throw new Error("the ledger has no part");
  const said: PartReport["kind"][] = [];
  const context: PartContext = {
    executor: machine.through,
    ledger,
    jobsDir: join(folder, "jobs"),
    paths: { rshProgram: "/opt/rsh", path: "/usr/bin:/bin", home: "/root" },
    deadlineMs: () => clock.bootClockMs() + 6_000,
    onReport: () => {
      const report = part.report();
      if (report !== null) said.push(report.kind);
    },
    log: () => undefined,
  };
  const part = new Part(context, entry);
  return {
    part,
    context,
    clock,
    executor,
    ledger,
    folder,
    said,
    restart: () => (part.leave(), open(machine)),
  };
}

/** Advances in steps, with the deadline moved as the lease moves it. */
export async function pass({ part, clock }: PartNode, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    await part.extendDeadline(clock.bootClockMs() + 6_000);
    await clock.advance(Math.min(left, 1_000));
  }
  await clock.advance(0);
}

/** The executor, with something that happens before each start. */
export function startingWith(executor: FakeExecutor, before: (command: CommandSpec) => void): Executor {
  const start: Executor["start"] = async (part, command) => {
    before(command);
    return executor.start(part, command);
  };
  return new Proxy(executor, {
    get: (target, name) => {
      if (name === "start") return start;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  });
}

/** The part as the executor knows it. */
export function handleOf({ folder }: PartNode): PartHandle {
  return { id: `${JOB}.1`, dir: join(folder, "jobs", `${JOB}.1`), token: TOKEN };
}

/** Names of the commands that run now. */
export async function runningOf(executor: FakeExecutor): Promise<readonly string[]> {
  const found = (await executor.list()).find(({ part }) => part.id === `${JOB}.1`);
  return found?.commands.filter(({ state }) => state.kind === "running").map(({ name }) => name) ?? [];
}
