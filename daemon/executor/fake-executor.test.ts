import { describe, expect, it } from "vitest";
import { testExecutorContract, type ContractProgram, type ExecutorHarness } from "./executor-contract.ts";
import type { CommandSpec, PartHandle } from "./executor.ts";
import { FakeExecutor, type FakeProgram } from "./fake-executor.ts";
import { ManualClock } from "./manual-clock.ts";

const part: PartHandle = { id: "12.1", dir: "/attempt", token: "0123456789abcdef" };

testExecutorContract("the fake executor", async () => fakeHarness());

describe("the fake executor", () => {
  it("says what is left of a part that cannot be killed", async () => {
    const clock = new ManualClock();
    const program: FakeProgram = { runsForMs: null, code: 0, onTerm: "end", isStuck: true };
    const executor = new FakeExecutor({ clock, program: () => program });
    await startOne(executor, 60_000);
    const ending = executor.endPart(part, 500);
    await clock.advance(2_500);
    expect(await ending).toEqual({ kind: "left", processes: [{ pid: 1, command: "train" }] });
  });

  it("ends a command whose shim is lost", async () => {
    const executor = new FakeExecutor({
      clock: new ManualClock(),
      program: () => ({ runsForMs: null, code: 0, onTerm: "ignore" }),
    });
    await startOne(executor, 60_000);
    executor.loseShim(part, "task-0");
    expect(await executor.wait(part, "task-0")).toMatchObject({ code: 137, endedBy: "shim-lost" });
  });
});

async function startOne(executor: FakeExecutor, deadlineMs: number): Promise<void> {
  await executor.openPart(part);
  await executor.setDeadline(part, deadlineMs);
  await executor.start(part, commandOf("task-0", "train"));
}

function commandOf(name: string, program: string): CommandSpec {
  return { name, argv: [program], env: {}, cwd: "/", stdoutPath: `/out/${name}`, stderrPath: `/err/${name}` };
}

function fakeHarness(): ExecutorHarness {
  const clock = new ManualClock();
  const executor = new FakeExecutor({
    clock,
    program: (command) => programOf(JSON.parse(command.argv[0] ?? "") as ContractProgram),
  });
  return {
    executor,
    bootClockMs: () => clock.bootClockMs(),
    pass: (ms) => clock.advance(ms),
    newPart: () => part,
    command: (name, program) => commandOf(name, JSON.stringify(program)),
    startReady: async (of, command) => {
      await executor.start(of, command);
    },
    output: (command) => executor.output(command.stdoutPath),
    close: async () => {},
  };
}

function programOf(program: ContractProgram): FakeProgram {
  switch (program.kind) {
    case "exits":
      return { runsForMs: 1, code: program.code, onTerm: "end", stdout: program.stdout ?? "" };
    case "dies":
      return { runsForMs: 1, code: program.signal === "SIGINT" ? 130 : 139, onTerm: "end" };
    case "missing":
      return { runsForMs: 1, code: 127, onTerm: "end" };
    case "not-executable":
      return { runsForMs: 1, code: 126, onTerm: "end" };
    case "runs":
      return { runsForMs: null, code: 0, onTerm: program.onTerm };
  }
}
