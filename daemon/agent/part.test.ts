import { createServer } from "node:net";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { Executor } from "../executor/executor.ts";
import { ExecutorError } from "../executor/executor.ts";
import type { FakeExecutor, FakeProgram } from "../executor/fake-executor.ts";
import { attemptOf, cleanUp, commandsOf, jobSpec, SUCCEEDS } from "./agent.fixture.ts";
import { RUNS } from "./agent.fixture.ts";
import { FAILS, handleOf, nodeWith, pass, runningOf, startingWith } from "./part.fixture.ts";
import { Part } from "./part.ts";

const STUCK: FakeProgram = { runsForMs: null, code: 0, onTerm: "ignore", isStuck: true };

afterEach(cleanUp);

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
    const late = new Part({ ...node.context, deadlineMs: () => 6_000 }, node.part.entry);
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
      if (phase === "while it is prepared") {
        earlier.push(node.part.prepare());
        while ((await node.executor.list()).length === 0) await turn();
      }
      if (phase === "while it is started") earlier.push(node.part.prepare(), node.part.start());
      if (phase === "while it runs") await node.part.start();
      const stopped = node.part.stop(0);
      earlier.push(node.part.start());
      await Promise.all([...earlier, stopped]);
      expect(node.said).toEqual(phase === "while it runs" ? ["prepared", "stopped"] : ["stopped"]);
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
