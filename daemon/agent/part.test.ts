import { createServer } from "node:net";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { PartReport } from "../../scheduler/model/command.ts";
import type { CommandSpec, Executor, PartHandle } from "../executor/executor.ts";
import { ExecutorError } from "../executor/executor.ts";
import type { FakeExecutor, FakeProgram } from "../executor/fake-executor.ts";
import type { ManualClock } from "../executor/manual-clock.ts";
import { assignedEntry, attemptOf, commandsOf, fakeMachine, jobSpec } from "./agent.fixture.ts";
import { JOB, RUNS, SUCCEEDS, TOKEN, temporaryFolder } from "./agent.fixture.ts";
import type { AssignedEntry } from "./ledger.ts";
import { Ledger } from "./ledger.ts";
import { Part } from "./part.ts";

const FAILS: FakeProgram = { runsForMs: 1_000, code: 3, onTerm: "end" };
const STUCK: FakeProgram = { runsForMs: null, code: 0, onTerm: "ignore", isStuck: true };

/** One part on one node, and all that it said to the leader. */
interface Node {
  readonly part: Part;
  readonly clock: ManualClock;
  readonly executor: FakeExecutor;
  readonly ledger: Ledger;
  readonly folder: string;
  readonly said: PartReport["kind"][];
  /** The same part under a restarted daemon. */
  readonly restart: () => Promise<Node>;
}

interface NodeOptions {
  readonly entry?: Partial<AssignedEntry>;
  readonly program?: (command: CommandSpec) => FakeProgram;
  /** Stands between the part and the machine. */
  readonly through?: (executor: FakeExecutor) => Executor;
}

async function nodeWith(options: NodeOptions = {}): Promise<Node> {
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
}): Promise<Node> {
  const { clock, executor, folder } = machine;
  const ledger = await Ledger.open(join(folder, "ledger"));
  const [entry] = ledger.entries();
  if (entry === undefined || entry.kind === "tombstone") throw new Error("the ledger has no part");
  const said: PartReport["kind"][] = [];
  const part: Part = new Part(
    {
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
    },
    entry,
  );
  return { part, clock, executor, ledger, folder, said, restart: () => (part.leave(), open(machine)) };
}

/** Advances in steps, with the deadline moved as the lease moves it. */
async function pass({ part, clock }: Node, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    await part.extendDeadline(clock.bootClockMs() + 6_000);
    await clock.advance(Math.min(left, 1_000));
  }
  await clock.advance(0);
}

describe("a part", () => {
  it("is prepared, started, and reports how its task ended", async () => {
    const node = await nodeWith({ program: () => SUCCEEDS });
    await node.part.prepare();
    expect(node.part.report()).toEqual({ kind: "prepared" });
    expect(await commandsOf(node.executor, "7.1")).toEqual([]);
    await node.part.start();
    expect(node.ledger.get("7.1")?.kind).toBe("started");
    await pass(node, 1_000);
    expect(node.part.report()).toEqual({
      kind: "exited",
      exits: [{ command: "task-0", code: 0, endedBy: "itself", reason: null }],
    });
    await node.part.stop(0);
    expect(node.said).toEqual(["prepared", "exited", "stopped"]);
    expect(node.ledger.get("7.1")).toMatchObject({
      kind: "stopped",
      exits: [{ command: "task-0", code: 0 }],
    });
  });

  it("reports its tasks when all have ended well, and at once when one failed", async () => {
    const entry = { spec: jobSpec(1, 2) };
    const seconds = (name: string): number => (name === "task-0" ? 1_000 : 2_000);
    const good = await nodeWith({
      entry,
      program: ({ name }) => ({ ...SUCCEEDS, runsForMs: seconds(name) }),
    });
    await good.part.start();
    await pass(good, 1_000);
    expect(good.part.report()).toEqual({ kind: "prepared" });
    await pass(good, 1_000);
    expect(good.part.report()).toMatchObject({ kind: "exited", exits: [{ code: 0 }, { code: 0 }] });

    const bad = await nodeWith({ entry, program: ({ name }) => (name === "task-0" ? FAILS : RUNS) });
    await bad.part.start();
    await pass(bad, 1_000);
    expect(bad.part.report()).toMatchObject({ kind: "exited", exits: [{ command: "task-0", code: 3 }] });
  });

  it("takes every order twice and carries it out once", async () => {
    const node = await nodeWith();
    await Promise.all([node.part.prepare(), node.part.prepare(), node.part.start(), node.part.start()]);
    await Promise.all([node.part.stop(0), node.part.stop(0)]);
    expect(node.said).toEqual(["prepared", "stopped"]);
    await node.part.start();
    await node.part.prepare();
    expect(node.said).toEqual(["prepared", "stopped"]);
  });

  it("refuses when the rendezvous port is taken, and is not started then", async () => {
    const node = await nodeWith();
    const { rendezvousPort } = node.part.entry.attempt.launch;
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(rendezvousPort, "127.0.0.1", resolve));
    await node.part.prepare();
    holder.close();
    expect(node.part.report()).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("EADDRINUSE"),
    });
    await node.part.start();
    expect(await commandsOf(node.executor, "7.1")).toEqual([]);
    expect(node.ledger.get("7.1")?.kind).toBe("assigned");
  });

  it("asks nothing of the port on a node that is not the head", async () => {
    const attempt = await attemptOf({ nodes: ["n1", "n2"] });
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(attempt.launch.rendezvousPort, "127.0.0.1", resolve));
    const node = await nodeWith({ entry: { attempt, spec: jobSpec(2), partIndex: 1 } });
    await node.part.prepare();
    holder.close();
    expect(node.said).toEqual(["prepared"]);
  });

  it("does not begin the other tasks when one can not be started", async () => {
    const through = (executor: FakeExecutor): Executor =>
      startingWith(executor, (command) => {
        if (command.name === "task-1") throw new ExecutorError("bad-command", "task-1 cannot be started");
      });
    const node = await nodeWith({ entry: { spec: jobSpec(1, 3) }, through });
    await node.part.start();
    expect(node.part.report()).toEqual({
      kind: "exited",
      exits: [{ command: "task-1", code: 125, endedBy: "itself", reason: "task-1 cannot be started" }],
    });
    expect(await commandsOf(node.executor, "7.1")).toEqual(["task-0"]);
  });

  it("says that the lease ended a task which came too late to start", async () => {
    const node = await nodeWith();
    await node.part.prepare();
    await node.executor.setDeadline(handleOf(node), 60_000);
    await node.clock.advance(60_000);
    const late = new Part({ ...contextOf(node), deadlineMs: () => 6_000 }, node.part.entry);
    await late.start();
    expect(late.report()).toMatchObject({ kind: "exited", exits: [{ code: 125, endedBy: "deadline" }] });
  });

  it("is killed at the deadline when nobody moves it, and reports that", async () => {
    const node = await nodeWith();
    await node.part.start();
    await node.clock.advance(6_000);
    await node.clock.advance(0);
    expect(node.part.report()).toMatchObject({ kind: "exited", exits: [{ endedBy: "deadline" }] });
  });
});

describe("an order to stop a part", () => {
  it.each(["before it is prepared", "while it is prepared", "while it is started", "while it runs"] as const)(
    "ends it for ever when it comes %s",
    async (phase) => {
      const node = await nodeWith();
      const earlier: Promise<void>[] = [];
      if (phase === "while it is prepared") earlier.push(node.part.prepare());
      if (phase === "while it is started") earlier.push(node.part.prepare(), node.part.start());
      if (phase === "while it runs") await node.part.start();
      const stopped = node.part.stop(0);
      earlier.push(node.part.start());
      await Promise.all([...earlier, stopped]);
      expect(node.said.at(-1)).toBe("stopped");
      expect(node.said).not.toContain("exited");
      expect(node.ledger.get("7.1")?.kind).toBe("stopped");
      expect(await runningOf(node.executor)).toEqual([]);
      const again = await node.restart();
      await again.part.start();
      expect(await runningOf(node.executor)).toEqual([]);
      expect(again.part.report()?.kind).toBe("stopped");
    },
  );

  it("is not reported while a process is left", async () => {
    const node = await nodeWith({ program: () => STUCK });
    await node.part.start();
    const stopping = node.part.stop(0).then(
      () => "stopped",
      (error: unknown) => String(error),
    );
    await node.clock.advance(3_000);
    expect(await stopping).toContain("do not die");
    expect(node.said).toEqual(["prepared"]);
    expect(node.ledger.get("7.1")?.kind).toBe("started");
  });

  it("is not reported while the tombstone can not be written", async () => {
    const node = await nodeWith();
    await node.part.start();
    const ledger = join(node.folder, "ledger");
    await rename(ledger, `${ledger}.away`);
    await expect(node.part.stop(0)).rejects.toThrow("ENOENT");
    expect(node.said).toEqual(["prepared"]);
    await rename(`${ledger}.away`, ledger);
    await node.part.start();
    expect(node.said).toEqual(["prepared"]);
    await node.part.stop(0);
    expect(node.said).toEqual(["prepared", "stopped"]);
  });

  it("keeps the log readable, under a restarted daemon too", async () => {
    const node = await nodeWith();
    await node.part.start();
    const running = node.part.log("task-0");
    expect(running?.ended).toBe(false);
    await node.part.stop(0);
    for (const { part } of [node, await node.restart()]) {
      expect(part.log("task-0")).toEqual({ ...running, ended: true });
      expect(part.log("../../../etc/passwd")).toBeNull();
    }
  });
});

describe("a part under a restarted daemon", () => {
  it("that was prepared is prepared again by the start", async () => {
    const before = await nodeWith();
    await before.part.prepare();
    const node = await before.restart();
    await node.part.start();
    expect(await commandsOf(node.executor, "7.1")).toEqual(["task-0"]);
  });

  it("goes on, and reports the exit that nobody saw", async () => {
    const before = await nodeWith({ program: () => FAILS });
    await before.part.start();
    const node = await before.restart();
    await node.clock.advance(2_000);
    node.part.adopt(["task-0"]);
    await node.part.start();
    await node.clock.advance(0);
    expect(before.said).toEqual(["prepared"]);
    expect(node.part.report()).toMatchObject({ kind: "exited", exits: [{ command: "task-0", code: 3 }] });
  });

  it("starts the tasks that the earlier daemon did not come to", async () => {
    let crash = true;
    const through = (executor: FakeExecutor): Executor =>
      startingWith(executor, (command) => {
        if (crash && command.name === "task-1")
          throw new ExecutorError("shim-failed", "the daemon ends here");
      });
    const before = await nodeWith({ entry: { spec: jobSpec(1, 2) }, through });
    await before.part.start();
    crash = false;
    const node = await before.restart();
    node.part.adopt(["task-0"]);
    await node.part.start();
    expect(await commandsOf(node.executor, "7.1")).toEqual(["task-0", "task-1"]);
  });
});

describe("remote commands of a part", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  async function headWith(program: (command: CommandSpec) => FakeProgram): Promise<Node> {
    const node = await nodeWith({ program });
    await node.part.start();
    await node.part.runRemote("rsh-0001", "true");
    return node;
  }

  it("run once for each name, and only while the part runs", async () => {
    const node = await nodeWith();
    await expect(node.part.runRemote("rsh-0001", "true")).rejects.toThrow("does not run on this node");
    await node.part.start();
    await Promise.all([node.part.runRemote("rsh-0001", "true"), node.part.runRemote("rsh-0001", "true")]);
    expect(await commandsOf(node.executor, "7.1")).toEqual(["task-0", "rsh-0001"]);
    await node.part.stop(0);
    await expect(node.part.runRemote("rsh-0002", "true")).rejects.toThrow("does not run on this node");
  });

  it("that are cut off wait for mpirun to say more", async () => {
    const node = await headWith(({ name }) => (name === "task-0" ? { ...FAILS, runsForMs: 2_000 } : RUNS));
    node.executor.loseShim(handleOf(node), "rsh-0001");
    await pass(node, 1_000);
    vi.advanceTimersByTime(2_999);
    expect(node.part.report()?.kind).toBe("prepared");
    await pass(node, 1_000);
    expect(node.part.report()).toMatchObject({
      kind: "exited",
      exits: [
        { command: "rsh-0001", endedBy: "shim-lost" },
        { command: "task-0", code: 3 },
      ],
    });
    vi.advanceTimersByTime(10_000);
    expect(node.said).toEqual(["prepared", "exited"]);
  });

  it("that are cut off are reported when mpirun says nothing", async () => {
    const node = await headWith(() => RUNS);
    node.executor.loseShim(handleOf(node), "rsh-0001");
    await pass(node, 1_000);
    vi.advanceTimersByTime(3_000);
    expect(node.part.report()).toMatchObject({ kind: "exited", exits: [{ command: "rsh-0001", code: 137 }] });
  });

  it("leave no word in the tombstone, unless they were cut off", async () => {
    const node = await headWith(() => RUNS);
    await node.part.runRemote("rsh-0002", "true");
    node.executor.loseShim(handleOf(node), "rsh-0002");
    await node.part.stop(0);
    const entry = node.ledger.get("7.1");
    if (entry?.kind !== "stopped") throw new Error("it is not stopped");
    expect(entry.exits.map(({ command }) => command).toSorted()).toEqual(["rsh-0002", "task-0"]);
    expect(node.part.report()).toEqual({ kind: "stopped", exits: entry.exits });
  });

  it("that fail by themselves are for their caller to judge", async () => {
    const node = await headWith(({ name }) =>
      name === "task-0" ? { ...SUCCEEDS, runsForMs: 9_000 } : FAILS,
    );
    await pass(node, 1_000);
    vi.advanceTimersByTime(10_000);
    expect(node.said).toEqual(["prepared"]);
    await pass(node, 8_000);
    const report = node.part.report();
    expect(report).toEqual({
      kind: "exited",
      exits: [{ command: "task-0", code: 0, endedBy: "itself", reason: null }],
    });
  });

  it("that their caller stops are no failure of the job", async () => {
    const node = await headWith(({ name }) => (name === "task-0" ? { ...SUCCEEDS, runsForMs: 9_000 } : RUNS));
    await node.part.stopRemote("rsh-0001", 0);
    await pass(node, 1_000);
    vi.advanceTimersByTime(10_000);
    expect(node.said).toEqual(["prepared"]);
    await pass(node, 9_000);
    expect(node.part.report()).toMatchObject({ kind: "exited", exits: [{ command: "task-0", code: 0 }] });
  });

  it("are stopped although the order to stop follows at once", async () => {
    const node = await nodeWith();
    await node.part.start();
    const started = node.part.runRemote("rsh-0001", "sleep 9");
    const stopped = node.part.stopRemote("rsh-0001", 0);
    await Promise.all([started, stopped]);
    expect(await runningOf(node.executor)).toEqual(["task-0"]);
  });

  it("that could not be started can be asked for again", async () => {
    let refusals = 1;
    const through = (executor: FakeExecutor): Executor =>
      startingWith(executor, ({ name }) => {
        if (name === "rsh-0001" && refusals-- > 0) throw new ExecutorError("shim-failed", "no room");
      });
    const node = await nodeWith({ through });
    await node.part.start();
    await expect(node.part.runRemote("rsh-0001", "true")).rejects.toThrow("no room");
    await node.part.runRemote("rsh-0001", "true");
    expect(await commandsOf(node.executor, "7.1")).toEqual(["task-0", "rsh-0001"]);
  });
});

/** The executor, with something that happens before each start. */
function startingWith(executor: FakeExecutor, before: (command: CommandSpec) => void): Executor {
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

function contextOf(node: Node): ConstructorParameters<typeof Part>[0] {
  return {
    executor: node.executor,
    ledger: node.ledger,
    jobsDir: join(node.folder, "jobs"),
    paths: { rshProgram: "/opt/rsh", path: "/usr/bin:/bin", home: "/root" },
    deadlineMs: () => node.clock.bootClockMs() + 6_000,
    onReport: () => undefined,
    log: () => undefined,
  };
}

function handleOf({ folder }: Node): PartHandle {
  return { id: `${JOB}.1`, dir: join(folder, "jobs", `${JOB}.1`), token: TOKEN };
}

async function runningOf(executor: FakeExecutor): Promise<readonly string[]> {
  const found = (await executor.list()).find(({ part }) => part.id === `${JOB}.1`);
  return found?.commands.filter(({ state }) => state.kind === "running").map(({ name }) => name) ?? [];
}
