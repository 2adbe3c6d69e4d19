import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { until } from "../executor/process-executor-harness.ts";
import type { Member } from "../mesh/directory.ts";
import { attemptOf, cleanUp, JOB, jobSpec, SUCCEEDS } from "./agent.fixture.ts";
import { commandStarts, connected, daemonOn, machineWith } from "./daemon.fixture.ts";
import { kindOf, ScriptedLeader } from "./scripted-leader.fixture.ts";

afterEach(cleanUp);

describe("the line to the leader", () => {
  it("says hello again with all there is when it broke", async () => {
    const { machine, leader, line } = await connected();
    const attempt = await attemptOf();
    line.prepare(attempt, jobSpec(1));
    await line.reported("prepared");
    line.end();
    const next = await leader.line(2);
    expect(next.hello?.parts).toMatchObject([{ jobId: JOB, attempt: 1, fence: attempt.fence }]);
    expect(next.hello?.parts.map(kindOf)).toEqual(["prepared"]);
    expect(machine.log).toContain("the line to leader is lost");
  });

  it("brings a report that came between hello and welcome", async () => {
    const { machine, leader, line } = await connected(() => SUCCEEDS);
    const attempt = await attemptOf();
    line.prepare(attempt, jobSpec(1));
    line.start(attempt);
    await commandStarts(machine, "7.1");
    leader.greeting = () => undefined;
    line.end();
    const next = await leader.line(2);
    await machine.clock.advance(1_000);
    next.welcome(1);
    await next.reported("exited");
  });

  it("goes where a member sends it, and is not sent to and fro without a pause", async () => {
    const first = await ScriptedLeader.start("first");
    const second = await ScriptedLeader.start("second");
    first.greeting = (line) => line.send({ notLeader: { leader: "second", address: "" } });
    second.greeting = (line) => line.send({ notLeader: { leader: "first", address: "" } });
    const agent = await daemonOn(machineWith(), first.member(1), second.member(2));
    await sleep(250);
    expect(first.lines.length + second.lines.length).toBeLessThan(20);
    second.greeting = (line) => line.welcome(1);
    await until(() => agent.leader()?.name === "second");
  });

  it("is given up when no renewal is accepted any more", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const { machine, leader, agent } = await connected();
    leader.acceptsRenewals = false;
    await until(() => agent.leader() !== null);
    await machine.clock.advance(3_100);
    vi.advanceTimersByTime(1_000);
    await leader.line(2);
    expect(machine.log).toContain("the line to leader is lost");
  });

  it("calls everyone while no voter is known, and nobody without an address", async () => {
    const leader = await ScriptedLeader.start("a-client");
    const client: Member = { ...leader.member(1), raftRole: "client" };
    const agent = await daemonOn(machineWith(), client, { ...client, name: "new", number: 2, address: "" });
    await until(() => agent.leader()?.name === "a-client");
  });
});
