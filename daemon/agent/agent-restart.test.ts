import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { until } from "../executor/process-executor-harness.ts";
import { assignedEntry, attemptOf, cleanUp, commandsOf, JOB, jobSpec, SUCCEEDS } from "./agent.fixture.ts";
import type { Machine } from "./daemon.fixture.ts";
import { commandStarts, connected, daemonOn, handleIn, machineWith } from "./daemon.fixture.ts";
import type { AssignedEntry } from "./ledger.ts";
import { Ledger } from "./ledger.ts";
import { kindOf, ScriptedLeader } from "./scripted-leader.fixture.ts";

afterEach(cleanUp);

describe("a restarted daemon", () => {
  it("starts what the earlier one had prepared", async () => {
    const { machine, leader, agent, line } = await connected();
    const attempt = await attemptOf();
    line.prepare(attempt, jobSpec(1));
    await line.reported("prepared");
    agent.stop();
    leader.greeting = (next) => {
      next.welcome(2);
      next.start(attempt, 2);
    };
    await daemonOn(machine, leader.member(1));
    await commandStarts(machine, "7.1");
  });

  it("reports an exit that came while no daemon was there", async () => {
    const { machine, leader, agent, line } = await connected(() => SUCCEEDS);
    const attempt = await attemptOf();
    line.prepare(attempt, jobSpec(1));
    line.start(attempt);
    await commandStarts(machine, "7.1");
    agent.stop();
    await machine.clock.advance(1_000);
    leader.acceptsRenewals = false;
    await daemonOn(machine, leader.member(1));
    const next = await leader.line(2);
    await until(() => [...(next.hello?.parts ?? []), ...next.reports].map(kindOf).includes("exited"));
  });

  it("ends a part that the earlier one had begun to end, and blames no task", async () => {
    const { machine, leader, agent, line } = await connected();
    const attempt = await attemptOf();
    line.prepare(attempt, jobSpec(1, 2));
    line.start(attempt);
    await commandStarts(machine, "7.1");
    agent.stop();
    await machine.executor.endPart(handleIn(machine), 0);
    await daemonOn(machine, leader.member(1));
    const next = await leader.line(2);
    await until(() => [...(next.hello?.parts ?? []), ...next.reports].map(kindOf).includes("stopped"));
    expect(next.reports.map(kindOf)).not.toContain("exited");
  });

  it("gives up a part whose records are gone", async () => {
    const machine = machineWith();
    await leftInLedger(machine, await assignedEntry({ kind: "started" }));
    const leader = await ScriptedLeader.start();
    await daemonOn(machine, leader.member(1));
    const line = await leader.line();
    await until(() => [...(line.hello?.parts ?? []), ...line.reports].map(kindOf).includes("stopped"));
    expect(await machine.executor.list()).toEqual([]);
  });

  it("starts nothing more of a part that its new session's leader tells it to stop", async () => {
    const machine = machineWith();
    const attempt = await attemptOf();
    await leftInLedger(machine, await assignedEntry({ kind: "started", attempt }));
    await machine.executor.openPart(handleIn(machine));
    const leader = await ScriptedLeader.start();
    leader.greeting = (line) => {
      line.welcome(9);
      line.stop(attempt, 9);
    };
    await daemonOn(machine, leader.member(1));
    await (await leader.line()).reported("stopped");
    expect(await commandsOf(machine.executor, "7.1")).toEqual([]);
  });

  it("ends what its ledger does not hold, and forgets it", async () => {
    const machine = machineWith();
    const left = handleIn(machine, "3.1");
    const command = { name: "task-0", argv: ["x"], env: {}, cwd: "/", stdoutPath: "/o", stderrPath: "/e" };
    await machine.executor.openPart(left);
    await machine.executor.setDeadline(left, 60_000);
    await machine.executor.start(left, command);
    const ending = machine.executor.wait(left, "task-0");
    await daemonOn(machine);
    expect(await ending).toMatchObject({ endedBy: "stopped" });
    expect(await machine.executor.list()).toEqual([]);
  });

  it("forgets the executor's records of what was stopped", async () => {
    const { machine, leader, agent, line } = await connected();
    const attempt = await attemptOf();
    line.prepare(attempt, jobSpec(1));
    line.start(attempt);
    await commandStarts(machine, "7.1");
    line.stop(attempt);
    await line.reported("stopped");
    agent.stop();
    expect((await machine.executor.list()).length).toBe(1);
    const next = await daemonOn(machine, leader.member(1));
    expect(await machine.executor.list()).toEqual([]);
    expect(next.part(JOB, 1)?.log("task-0")?.ended).toBe(true);
    expect(machine.log.join()).not.toContain("ending attempt");
  });

  it("names in its hello what the ledger holds, and of much that is stopped the newest", async () => {
    const machine = machineWith();
    const attempt = await attemptOf();
    const ledger = await Ledger.open(join(machine.dataDir, "ledger"));
    const exit = { command: "task-0", code: 1, endedBy: "itself", reason: "x".repeat(50_000) } as const;
    for (const number of [1, 2, 3, 4]) {
      await ledger.write(
        await assignedEntry({ kind: "stopped", attempt: { ...attempt, number }, exits: [exit] }),
      );
    }
    await ledger.write({ kind: "tombstone", job: JOB, attemptNumber: 5, fence: attempt.fence });
    await ledger.write(await assignedEntry({ attempt: { ...attempt, number: 6 } }));
    const leader = await ScriptedLeader.start();
    await daemonOn(machine, leader.member(1));
    const parts = (await leader.line()).hello?.parts ?? [];
    expect(parts.map((part) => part.attempt)).toEqual([6, 5, 4, 3]);
  });
});

it("a daemon does not open on a ledger that is damaged", async () => {
  const machine = machineWith();
  await mkdir(join(machine.dataDir, "ledger", "7.1.json"), { recursive: true });
  await expect(daemonOn(machine)).rejects.toThrow("EISDIR");
});

/** What an earlier daemon left in the ledger. */
async function leftInLedger(machine: Machine, entry: AssignedEntry): Promise<void> {
  const ledger = await Ledger.open(join(machine.dataDir, "ledger"));
  await ledger.write(entry);
}
