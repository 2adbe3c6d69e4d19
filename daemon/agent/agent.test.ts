import { rename } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { until } from "../executor/process-executor-harness.ts";
import { attemptOf, cleanUp, commandsOf, JOB, jobSpec, SUCCEEDS, TOKEN } from "./agent.fixture.ts";
import { commandStarts, connected, daemonOn, machineWith } from "./daemon.fixture.ts";
import { ScriptedLeader } from "./scripted-leader.fixture.ts";

afterEach(cleanUp);

describe("a daemon with a leader", () => {
  it("prepares, starts, reports the exit and the end of a part", async () => {
    const { machine, agent, line } = await connected(() => SUCCEEDS);
    const attempt = await attemptOf();
    line.prepare(attempt, jobSpec(1));
    await line.reported("prepared");
    line.settle(attempt, "prepared");
    line.start(attempt);
    await until(() => agent.part(JOB, 1)?.entry.kind === "started");
    await until(() => agent.part(JOB, 1)?.log("task-0") !== null);
    await commandStarts(machine, "7.1");
    await machine.clock.advance(1_000);
    await line.reported("exited");
    line.stop(attempt);
    await line.reported("stopped");
    expect(line.kinds()).toEqual(["prepared", "exited", "stopped"]);
    // What is over is read from the ledger for each who asks, and not kept.
    await until(() => agent.part(JOB, 1) !== agent.part(JOB, 1));
    expect(agent.part(JOB, 1)?.log("task-0")).toMatchObject({ ended: true });
    expect(agent.part(JOB, 1)?.tokenIs(TOKEN)).toBe(true);
  });

  it("takes each order twice and carries it out once", async () => {
    const { machine, line } = await connected();
    const attempt = await attemptOf();
    for (const order of ["prepare", "start", "stop"] as const) {
      for (let time = 0; time < 2; time += 1) {
        if (order === "prepare") line.prepare(attempt, jobSpec(1));
        else line[order](attempt);
      }
      if (order === "start") await commandStarts(machine, "7.1");
    }
    await line.reported("stopped");
    line.prepare(attempt, jobSpec(1));
    line.start(attempt);
    await until(() => line.kinds().filter((kind) => kind === "stopped").length >= 2);
    expect(await commandsOf(machine.executor, "7.1")).toEqual(["task-0"]);
    expect((await machine.executor.list())[0]?.ended).toBe(true);
  });

  it("remembers an order to stop what it had never heard of", async () => {
    const { machine, agent, line } = await connected();
    const attempt = await attemptOf();
    line.stop(attempt);
    await line.reported("stopped");
    line.prepare(attempt, jobSpec(1));
    line.start(attempt);
    await until(() => line.kinds().length >= 2);
    expect(line.kinds()).toEqual(["stopped", "stopped"]);
    expect(await machine.executor.list()).toEqual([]);
    expect(agent.part(JOB, 1)).toBeUndefined();
  });

  it("does not prepare an attempt that is older than one it knows", async () => {
    const { machine, line } = await connected();
    line.prepare(await attemptOf({ number: 2 }), jobSpec(1));
    await line.reported("prepared", 2);
    line.prepare(await attemptOf({ number: 1 }), jobSpec(1));
    await line.reported("stopped", 1);
    expect((await machine.executor.list()).map(({ part }) => part.id)).toEqual(["7.2"]);
  });

  it("refuses the orders of a leader that was replaced, after a restart too", async () => {
    const { machine, leader, agent, line } = await connected();
    const attempt = await attemptOf();
    line.prepare(attempt, jobSpec(1), 5);
    await line.reported("prepared");
    line.start(attempt, 4);
    await until(() => machine.log.some((text) => text.includes("refused an order of term 4")));
    agent.stop();
    await daemonOn(machine, leader.member(1));
    const next = await leader.line(2);
    next.stop(attempt, 4);
    next.start(attempt, 5);
    await commandStarts(machine, "7.1");
    expect(next.kinds()).not.toContain("stopped");
  });

  it("ignores a start with the fence of another attempt", async () => {
    const { machine, line } = await connected();
    const attempt = await attemptOf();
    line.prepare(attempt, jobSpec(1));
    line.start({ ...attempt, fence: { epoch: 0, index: 1 } });
    line.prepare(await attemptOf({ number: 2 }), jobSpec(1));
    await line.reported("prepared", 2);
    expect(await commandsOf(machine.executor, "7.1")).toEqual([]);
  });

  it("refuses a job that it does not understand", async () => {
    const { machine, line } = await connected();
    const attempt = await attemptOf();
    const spec = jobSpec(1);
    line.prepare(attempt, { ...spec, priority: "someday" as typeof spec.priority });
    await line.reported("refused");
    expect(line.reports.at(-1)?.reportJson).toContain("its spec does not parse: priority");
    expect(await machine.executor.list()).toEqual([]);
  });

  it("clears away what it refused once the leader knows", async () => {
    const { machine, agent, line } = await connected();
    const attempt = await attemptOf();
    const spec = { ...jobSpec(1), workingDirectory: "not absolute" };
    line.prepare(attempt, spec);
    await line.reported("refused");
    line.settle(attempt, "refused");
    await line.reported("stopped");
    expect(agent.part(JOB, 1)?.entry.kind).toBe("stopped");
    expect(await commandsOf(machine.executor, "7.1")).toEqual([]);
  });

  it("starts nothing before a renewal was accepted", async () => {
    const machine = machineWith();
    const leader = await ScriptedLeader.start();
    leader.acceptsRenewals = false;
    const agent = await daemonOn(machine, leader.member(1));
    const line = await leader.line();
    const attempt = await attemptOf();
    line.prepare(attempt, jobSpec(1));
    line.start(attempt);
    line.prepare(await attemptOf({ number: 2 }), jobSpec(1));
    await line.reported("prepared", 2);
    expect(agent.part(JOB, 1)?.entry.kind).toBe("assigned");
    line.send({ renewalAccepted: { sequence: 1 } });
    await commandStarts(machine, "7.1");
  });
});

describe("a daemon, as seconds go by", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
  afterEach(() => void vi.useRealTimers());

  it("moves the deadline with each accepted renewal", async () => {
    const { machine, line } = await connected();
    const attempt = await attemptOf();
    line.prepare(attempt, jobSpec(1));
    await line.reported("prepared");
    line.settle(attempt, "prepared");
    line.start(attempt);
    await commandStarts(machine, "7.1");
    await machine.clock.advance(2_000);
    vi.advanceTimersByTime(1_000);
    await until(() => line.renewals === 2);
    // What comes after the acceptance on the line is obeyed after it.
    line.prepare(await attemptOf({ number: 2 }), jobSpec(1));
    await line.reported("prepared", 2);
    await machine.clock.advance(4_900);
    expect(line.kinds()).toEqual(["prepared"]);
    await machine.clock.advance(3_100);
    await line.reported("exited");
    expect(line.reports.at(-1)?.reportJson).toContain("deadline");
  });

  it("tries an order again that its ledger could not take", async () => {
    const { machine, line } = await connected();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const ledger = join(machine.dataDir, "ledger");
    await rename(ledger, `${ledger}.away`);
    line.prepare(await attemptOf(), jobSpec(1));
    await until(() => machine.log.some((text) => text.includes("is tried again")));
    expect(line.reports).toEqual([]);
    await rename(`${ledger}.away`, ledger);
    vi.advanceTimersByTime(1_000);
    await line.reported("prepared");
  });

  it("tries a start again that its ledger could not take", async () => {
    const { machine, line } = await connected();
    const attempt = await attemptOf();
    line.prepare(attempt, jobSpec(1));
    await line.reported("prepared");
    const ledger = join(machine.dataDir, "ledger");
    await rename(ledger, `${ledger}.away`);
    line.start(attempt);
    await until(() => machine.log.some((text) => text.includes("tried again with the next renewal")));
    expect(await commandsOf(machine.executor, "7.1")).toEqual([]);
    await rename(`${ledger}.away`, ledger);
    await machine.clock.advance(100);
    vi.advanceTimersByTime(1_000);
    await commandStarts(machine, "7.1");
  });
});
