import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CommandSpec, Executor } from "../executor/executor.ts";
import { ExecutorError } from "../executor/executor.ts";
import type { FakeExecutor, FakeProgram } from "../executor/fake-executor.ts";
import { cleanUp, commandsOf, RUNS, SUCCEEDS } from "./agent.fixture.ts";
import type { PartNode } from "./part.fixture.ts";
import { FAILS, handleOf, nodeWith, pass, runningOf, startingWith } from "./part.fixture.ts";

afterEach(cleanUp);

describe("remote commands of a part", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  async function headWith(program: (command: CommandSpec) => FakeProgram): Promise<PartNode> {
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
