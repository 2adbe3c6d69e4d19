import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CommandSpec, Executor, ExecutorErrorCode, PartHandle } from "./executor.ts";

/** What a command of the contract does; each harness says it in its own way. */
export type ContractProgram =
  | { readonly kind: "exits"; readonly code: number; readonly stdout?: string }
  | { readonly kind: "dies"; readonly signal: "SIGINT" | "SIGSEGV" }
  | { readonly kind: "missing" }
  | { readonly kind: "not-executable" }
  | { readonly kind: "runs"; readonly onTerm: "end" | "ignore" };

export interface ExecutorHarness {
  readonly executor: Executor;
  bootClockMs(): number;
  /** Lets time pass. */
  pass(ms: number): Promise<void>;
  newPart(): PartHandle;
  command(name: string, program: ContractProgram): CommandSpec;
  /** Starts a command and resolves when it is ready to be signalled. */
  startReady(part: PartHandle, command: CommandSpec): Promise<void>;
  output(command: CommandSpec): string;
  close(): Promise<void>;
}

/** Registers the tests that every executor has to pass. */
export function testExecutorContract(name: string, open: () => Promise<ExecutorHarness>): void {
  describe(`${name} keeps the contract of an executor`, () => {
    let harness: ExecutorHarness;
    let executor: Executor;
    let part: PartHandle;

    beforeEach(async () => {
      harness = await open();
      executor = harness.executor;
      part = harness.newPart();
      await executor.openPart(part);
      await executor.setDeadline(part, harness.bootClockMs() + 60_000);
    });

    afterEach(async () => {
      await harness.close();
    });

    const runs = (onTerm: "end" | "ignore"): ContractProgram => ({ kind: "runs", onTerm });

    it.each([
      [{ kind: "exits", code: 0 }, 0, null],
      [{ kind: "exits", code: 3 }, 3, null],
      [{ kind: "missing" }, 127, null],
      [{ kind: "not-executable" }, 126, null],
      [{ kind: "dies", signal: "SIGSEGV" }, 139, "SIGSEGV"],
      [{ kind: "dies", signal: "SIGINT" }, 130, "SIGINT"],
    ] as const)("gives the code a shell would give: %o", async (program, code, signal) => {
      const started = await executor.start(part, harness.command("task-0", program));
      await harness.pass(1);
      const exit = await executor.wait(part, "task-0");
      expect(exit).toMatchObject({ code, signal, endedBy: "itself", startedAtMs: started.startedAtMs });
      expect(exit.endedAtMs).toBeGreaterThanOrEqual(exit.startedAtMs);
    });

    it("appends output to the files", async () => {
      const [first, second] = ["task-0", "task-1"].map((task) =>
        harness.command(task, { kind: "exits", code: 0, stdout: "hello\n" }),
      ) as [CommandSpec, CommandSpec];
      for (const command of [first, { ...second, stdoutPath: first.stdoutPath }]) {
        await executor.start(part, command);
        await harness.pass(1);
        await executor.wait(part, command.name);
      }
      expect(harness.output(first)).toBe("hello\nhello\n");
    });

    it("starts a command once, however often it is asked to", async () => {
      const command = harness.command("task-0", { kind: "exits", code: 7, stdout: "ran\n" });
      const starts = await Promise.all([executor.start(part, command), executor.start(part, command)]);
      await harness.pass(1);
      await executor.wait(part, "task-0");
      const late = await executor.start(part, command);
      expect([...starts, late].map((start) => start.adopted)).toEqual([false, true, true]);
      expect(new Set([...starts, late].map((start) => start.startedAtMs)).size).toBe(1);
      expect(await executor.wait(part, "task-0")).toMatchObject({ code: 7 });
      expect(harness.output(command)).toBe("ran\n");
    });

    it("stops a command by TERM, and the others run on", async () => {
      await harness.startReady(part, harness.command("task-0", runs("end")));
      await harness.startReady(part, harness.command("task-1", runs("end")));
      expect(await executor.stop(part, "task-0", 10_000)).toMatchObject({ code: 143, endedBy: "stopped" });
      const states = (await executor.list())[0]?.commands.map(({ name, state }) => [name, state.kind]);
      expect(states).toEqual([
        ["task-0", "exited"],
        ["task-1", "running"],
      ]);
    });

    it("stops by KILL, after the grace and not before, what ignores TERM", async () => {
      await harness.startReady(part, harness.command("task-0", runs("ignore")));
      const askedAtMs = harness.bootClockMs();
      const stopping = executor.stop(part, "task-0", 500);
      await harness.pass(500);
      const exit = await stopping;
      expect(exit).toMatchObject({ code: 137, signal: "SIGKILL", endedBy: "stopped" });
      // The clock has steps of 10 ms.
      expect(exit.endedAtMs - askedAtMs).toBeGreaterThanOrEqual(490);
    });

    it("lets a later stop shorten the grace, and never lengthen it", async () => {
      await harness.startReady(part, harness.command("task-0", runs("ignore")));
      const askedAtMs = harness.bootClockMs();
      const stops = [60_000, 300, 60_000].map((graceMs) => executor.stop(part, "task-0", graceMs));
      await harness.pass(300);
      for (const exit of await Promise.all(stops)) expect(exit.endedAtMs - askedAtMs).toBeLessThan(5_000);
    });

    it("ends a part with all its commands, TERM ignored or not, and says so again when asked again", async () => {
      await harness.startReady(part, harness.command("task-0", runs("ignore")));
      await harness.startReady(part, harness.command("task-1", runs("end")));
      await executor.start(part, harness.command("task-2", { kind: "exits", code: 5 }));
      await harness.pass(1);
      await executor.wait(part, "task-2");
      const ending = executor.endPart(part, 200);
      await harness.pass(200);
      expect(await ending).toEqual({ kind: "gone" });
      expect(await executor.wait(part, "task-0")).toMatchObject({ code: 137, endedBy: "stopped" });
      expect(await executor.wait(part, "task-1")).toMatchObject({ code: 143, endedBy: "stopped" });
      expect(await executor.wait(part, "task-2")).toMatchObject({ code: 5, endedBy: "itself" });
      expect(await executor.endPart(part, 200)).toEqual({ kind: "gone" });
    });

    it("starts nothing in a part that has ended, and forgets it only then", async () => {
      await expectCode("part-not-gone", executor.forgetPart(part));
      await executor.endPart(part, 0);
      await expectCode("part-ended", executor.start(part, harness.command("task-0", runs("end"))));
      await expectCode("part-ended", executor.openPart(part));
      expect(await executor.list()).toEqual([{ part, ended: true, commands: [] }]);
      await executor.forgetPart(part);
      expect(await executor.list()).toEqual([]);
    });

    it("ends and forgets a part that was never opened", async () => {
      const other = { ...harness.newPart(), id: "99.9" };
      expect(await executor.endPart(other, 0)).toEqual({ kind: "gone" });
      await executor.forgetPart(other);
    });

    it("starts nothing without a deadline ahead", async () => {
      const other = { ...harness.newPart(), id: "99.9" };
      const command = harness.command("task-0", { kind: "exits", code: 0, stdout: "ran\n" });
      await expectCode("part-not-open", executor.start(other, command));
      await expectCode("part-not-open", executor.setDeadline(other, harness.bootClockMs() + 60_000));
      await executor.openPart(other);
      await expectCode("no-deadline-ahead", executor.start(other, command));
      await executor.setDeadline(other, harness.bootClockMs());
      await expectCode("no-deadline-ahead", executor.start(other, command));
      expect(harness.output(command)).toBe("");
      await executor.setDeadline(other, harness.bootClockMs() + 60_000);
      expect(await executor.start(other, command)).toMatchObject({ adopted: false });
      await executor.endPart(other, 0);
    });

    it("kills at the deadline, after TERM, and revives nothing", async () => {
      const deadlineMs = harness.bootClockMs() + 1_500;
      await executor.setDeadline(part, deadlineMs, { allowEarlier: true });
      const obedient = { ...harness.command("task-0", runs("end")), termGraceMs: 700 };
      const stubborn = { ...harness.command("task-1", runs("ignore")), termGraceMs: 700 };
      await harness.startReady(part, obedient);
      await harness.startReady(part, stubborn);
      await harness.pass(deadlineMs - 350 - harness.bootClockMs());
      expect(await executor.wait(part, "task-0")).toMatchObject({ code: 143, endedBy: "deadline" });
      await executor.setDeadline(part, deadlineMs + 60_000);
      await harness.pass(deadlineMs - harness.bootClockMs());
      const exit = await executor.wait(part, "task-1");
      expect(exit).toMatchObject({ code: 137, endedBy: "deadline" });
      expect(exit.endedAtMs).toBeGreaterThanOrEqual(deadlineMs);
      expect(exit.endedAtMs - deadlineMs).toBeLessThan(1_000);
      expect(await executor.start(part, obedient)).toMatchObject({ adopted: true });
      expect(await executor.wait(part, "task-0")).toMatchObject({ code: 143 });
    });

    it("keeps a command alive as long as its deadline moves on, and no deadline moves back by itself", async () => {
      const command = { ...harness.command("task-0", runs("end")), termGraceMs: 200 };
      await executor.setDeadline(part, harness.bootClockMs() + 1_000, { allowEarlier: true });
      await harness.startReady(part, command);
      for (let renewals = 0; renewals < 4; renewals += 1) {
        await executor.setDeadline(part, harness.bootClockMs() + 1_000);
        await executor.setDeadline(part, harness.bootClockMs() + 1);
        await harness.pass(400);
      }
      expect((await executor.list())[0]?.commands[0]?.state.kind).toBe("running");
      await harness.pass(1_000);
      expect(await executor.wait(part, "task-0")).toMatchObject({ code: 143, endedBy: "deadline" });
    });

    it("ends a waiting call by its signal and leaves the command alone", async () => {
      await harness.startReady(part, harness.command("task-0", runs("end")));
      const abort = new AbortController();
      const waiting = executor.wait(part, "task-0", abort.signal);
      abort.abort(new Error("enough"));
      await expect(waiting).rejects.toThrow("enough");
      expect((await executor.list())[0]?.commands[0]?.state.kind).toBe("running");
    });

    it("refuses what it does not know or cannot use", async () => {
      await expectCode("unknown-command", executor.wait(part, "task-9"));
      await expectCode("unknown-command", executor.stop(part, "task-9", 0));
      await expectCode("bad-name", executor.openPart({ ...part, id: "../12" }));
      await expectCode("bad-name", executor.openPart({ ...part, token: "short" }));
      const command = harness.command("task-0", { kind: "exits", code: 0 });
      await expectCode("bad-name", executor.start(part, { ...command, name: "cgroup.procs" }));
      await expectCode("bad-command", executor.start(part, { ...command, argv: [] }));
      await expectCode("bad-command", executor.start(part, { ...command, argv: ["a\0b"] }));
      await expectCode("bad-command", executor.start(part, { ...command, env: { "A=B": "c" } }));
      await expectCode("bad-command", executor.start(part, { ...command, cwd: "relative" }));
    });
  });
}

async function expectCode(code: ExecutorErrorCode, outcome: Promise<unknown>): Promise<void> {
  await expect(outcome).rejects.toMatchObject({ name: "ExecutorError", code });
}
