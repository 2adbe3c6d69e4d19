import { readFileSync, readlinkSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bootClockMs } from "./boot-clock.ts";
import type { CommandExit, PartHandle } from "./executor.ts";
import { PartFolder, type CommandFolder } from "./part-folder.ts";
import { ProcessHarness, until } from "./process-executor-harness.ts";
import { ProcessExecutor } from "./process-executor.ts";
import { liveProcess, sendSignal } from "./processes.ts";

/** Registers the tests that only real processes can pass: what survives whose death, and what reaches the command. */
export function testProcessExecutor(cgroups: "auto" | "off"): void {
  describe("the process executor", () => {
    let harness: ProcessHarness;
    let part: PartHandle;

    const family =
      "trap '' TERM; (trap '' TERM; while :; do sleep 0.1; done) & echo child=$!; echo self=$$; echo ready; while :; do sleep 0.1; done";

    beforeEach(async () => {
      harness = new ProcessHarness(cgroups);
      part = harness.newPart();
      await harness.executor.openPart(part);
      await harness.executor.setDeadline(part, harness.bootClockMs() + 60_000);
    });

    afterEach(async () => {
      await harness.close();
    });

    it("gives the command its environment and nothing else", async () => {
      const env = {
        PATH: "/usr/bin:/bin",
        "a.b": "not a shell's name",
        "BASH_FUNC_f%%": "() { echo hi; }",
        PPID: "x",
        OPTIND: "not a number",
        PWD: "/else where",
        IFS: "/a",
        dir: "$(touch /nothing)`id`'\"\\\n\n",
        EMPTY: "",
      };
      const command = { ...harness.shellCommand("task-0", ""), argv: ["/usr/bin/env", "-0"], env };
      await harness.executor.start(part, command);
      await harness.executor.wait(part, "task-0");
      const entries = harness.output(command).split("\0").slice(0, -1);
      const wanted = Object.entries({ ...env, GPUMESH_ATTEMPT_TOKEN: part.token }).map((entry) =>
        entry.join("="),
      );
      expect(entries.toSorted()).toEqual(wanted.toSorted());
    });

    it("hands over any argument and value as it is", async () => {
      const text = fc.oneof(
        fc.string({ unit: "binary" }),
        fc.constantFrom(
          "$(exit 9)",
          "`exit 9`",
          "'",
          '"',
          "\\",
          "a\nb\n",
          "-n",
          "--",
          "*",
          "",
          "$IFS",
          "A=b",
          "!!",
        ),
      );
      const texts = fc.array(
        text.map((string) => string.replaceAll("\0", "")),
        { maxLength: 5 },
      );
      let serial = 0;
      const holds = async (args: readonly string[], value: string): Promise<void> => {
        const name = `task-${serial++}`;
        const argv = ["sh", "-c", String.raw`printf '%s\0' "$VALUE" "$@"`, "sh", ...args];
        const command = { ...harness.shellCommand(name, ""), argv };
        await harness.executor.start(part, { ...command, env: { ...command.env, VALUE: value } });
        expect(await harness.executor.wait(part, name)).toMatchObject({ code: 0 });
        expect(harness.output(command).split("\0").slice(0, -1)).toEqual([value, ...args]);
      };
      const value = text.map((string) => string.replaceAll("\0", ""));
      await fc.assert(fc.asyncProperty(texts, value, holds), { numRuns: 15 });
    });

    it("runs a program whose name looks like a variable or an option", async () => {
      const script = harness.shellCommand("task-0", "cp /bin/true 'lr=0.1' && cp /bin/true ./-x && exit 3");
      await harness.executor.start(part, script);
      expect(await harness.executor.wait(part, "task-0")).toMatchObject({ code: 3 });
      for (const [name, program] of [
        ["task-1", "lr=0.1"],
        ["task-2", "-x"],
      ] as const) {
        const command = { ...script, name, argv: [program], env: { PATH: harness.root } };
        await harness.executor.start(part, command);
        expect(await harness.executor.wait(part, name)).toMatchObject({ code: 0 });
      }
    });

    it("gives the command default signals, its own session, no stdin and its folder", async () => {
      const script = "cat; pwd; grep SigIgn /proc/$$/status; cat /proc/$$/oom_score_adj; cat /proc/$$/stat";
      const command = harness.shellCommand("task-0", script);
      await harness.executor.start(part, command);
      await harness.executor.wait(part, "task-0");
      const [folder, ignored, oomScore, stat] = harness.output(command).split("\n");
      expect(folder).toBe(harness.root);
      expect(ignored).toMatch(/^SigIgn:\s*0000000000000000$/);
      expect(Number(oomScore)).toBeGreaterThanOrEqual(0);
      const [pid, , , , processGroup, session] = stat?.split(" ") ?? [];
      expect([processGroup, session]).toEqual([pid, pid]);
    });

    it("says why a command could not be started", async () => {
      const command = harness.shellCommand("task-0", "true");
      await harness.executor.start(part, { ...command, cwd: "/no such folder" });
      expect(await harness.executor.wait(part, "task-0")).toMatchObject({
        code: 126,
        reason: "cannot enter /no such folder",
      });
      await harness.executor.start(part, { ...command, name: "task-1", stderrPath: "/no/such/file" });
      expect(await harness.executor.wait(part, "task-1")).toMatchObject({
        code: 126,
        reason: "cannot write /no/such/file",
      });
    });

    /** Runs a shim by hand on a copy of a command that ran before, and gives what it recorded. */
    const runShim = async (
      prepare: (late: CommandFolder, record: PartFolder) => void,
    ): Promise<CommandExit> => {
      const command = harness.shellCommand("task-0", "echo ran");
      await harness.executor.start(part, command);
      await harness.executor.wait(part, "task-0");
      const late = harness.folder(part, "task-1");
      late.create(readFileSync(join(harness.folder(part, "task-0").path, "launch"), "utf8"));
      prepare(late, new PartFolder(harness.options.stateDir, part.id));
      execFileSync("/bin/sh", [join(import.meta.dirname, "shim/shim.sh"), late.path], { stdio: "ignore" });
      expect(harness.output(command)).toBe("ran\n");
      return harness.executor.wait(part, "task-1");
    };

    it.each([
      ["missing", () => null],
      ["not a number", () => "soon\n"],
      ["empty", () => ""],
      ["past", () => `${Math.floor(bootClockMs() / 10)}\n`],
    ])("has a shim that by itself starts nothing when the deadline is %s", async (_, deadline) => {
      const exit = await runShim((_late, folder) => {
        const { deadlineFile } = folder.record() ?? { deadlineFile: "" };
        rmSync(deadlineFile);
        const text = deadline();
        if (text !== null) writeFileSync(deadlineFile, text);
      });
      expect(exit).toMatchObject({ code: 126, endedBy: "deadline", reason: "no deadline lies ahead" });
      const command = harness.shellCommand("task-1", "true");
      await expect(harness.executor.start(part, command)).rejects.toMatchObject({
        code: "no-deadline-ahead",
      });
    });

    it("has a shim that by itself starts nothing that has been given up, or in a part that has ended", async () => {
      expect(await runShim((late) => late.markLost())).toMatchObject({ code: 126 });
      await harness.executor.endPart(part, 0);
      await harness.executor.forgetPart(part);
      await harness.executor.openPart(part);
      await harness.executor.setDeadline(part, bootClockMs() + 60_000);
      rmSync(harness.shellCommand("task-0", "").stdoutPath);
      expect(await runShim((_late, folder) => folder.markEnded())).toMatchObject({ code: 126 });
    });

    it("has the kernel kill the command at once when its shim dies", async () => {
      expect(harness.executor.capabilities.parentDeathSignal).toBe(true);
      const command = harness.shellCommand("task-0", family);
      await harness.startReady(part, command);
      const { guard } = harness.folder(part, "task-0").started() ?? {};
      // With the guard stopped and the watcher at its first look at most, nothing else is left to do it in this time.
      sendSignal(guard?.pid ?? 0, "SIGSTOP");
      sendSignal(harness.folder(part, "task-0").shim()?.pid ?? 0, "SIGKILL");
      try {
        await until(() => liveProcess(harness.printed(command, "self")) === undefined, 200);
      } finally {
        sendSignal(guard?.pid ?? 0, "SIGKILL");
      }
    });

    it("keeps shims free of the daemon: no shared session, group or stream", async () => {
      const command = harness.command("task-0", { kind: "runs", onTerm: "end" });
      await harness.startReady(part, command);
      const shim = harness.folder(part, "task-0").shim()?.pid ?? 0;
      const guard = harness.folder(part, "task-0").started()?.guard.pid ?? 0;
      await until(() => harness.watcher() !== undefined);
      const watcher = harness.watcher() ?? 0;
      for (const pid of [shim, guard, watcher]) {
        expect(liveProcess(pid)?.session).toBe(pid === guard ? shim : pid);
        for (const fd of ["0", "1", "2"]) expect(readlinkSync(`/proc/${pid}/fd/${fd}`)).toBe("/dev/null");
        for (const file of ["environ", "cmdline"]) {
          expect(readFileSync(`/proc/${pid}/${file}`, "utf8")).not.toContain(part.token);
        }
        expect(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8")).toBe(oomScoreOfShims());
      }
    });

    it("ends what a command leaves behind before it records the exit", async () => {
      const command = harness.shellCommand("task-0", "(trap '' TERM; sleep 1000) & echo child=$!; exit 4");
      await harness.executor.start(part, command);
      expect(await harness.executor.wait(part, "task-0")).toMatchObject({ code: 4, endedBy: "itself" });
      expect(liveProcess(harness.printed(command, "child"))).toBeUndefined();
    });

    it("ends a part whose processes fork twice, leave the session, ignore TERM and change parents", async () => {
      const inner = "trap '' TERM HUP; echo escaped=$$; while :; do sleep 0.1; done";
      const script = `(setsid sh -c "${inner.replaceAll("$", "\\$")}" & ) ; trap '' TERM; sleep 0.2; echo ready; while :; do sleep 0.1; done`;
      const command = harness.shellCommand("task-0", script);
      const bystander = spawn("sh", ["-c", "while :; do sleep 0.1; done"], {
        env: {
          PATH: "/usr/bin:/bin",
          OTHER: `GPUMESH_ATTEMPT_TOKEN=${part.token}`,
          GPUMESH_ATTEMPT_TOKEN: `${part.token}x`,
        },
        detached: true,
        stdio: "ignore",
      });
      try {
        await harness.startReady(part, command);
        const escaped = harness.printed(command, "escaped");
        expect(liveProcess(escaped)?.session).toBe(escaped);
        expect(await harness.executor.endPart(part, 100)).toEqual({ kind: "gone" });
        expect(liveProcess(escaped)).toBeUndefined();
        expect(bystander.exitCode).toBeNull();
        expect(liveProcess(bystander.pid ?? 0)).toBeDefined();
      } finally {
        process.kill(-(bystander.pid ?? 0), "SIGKILL");
      }
    });

    it("ends a process that carries the token, whoever started it", async () => {
      const stray = spawn("sleep", ["1000"], { env: { GPUMESH_ATTEMPT_TOKEN: part.token }, stdio: "ignore" });
      await once(stray, "spawn");
      expect(await new ProcessExecutor(harness.options).endPart(part, 0)).toEqual({ kind: "gone" });
      await until(() => stray.signalCode === "SIGKILL");
    });

    it("kills at the deadline without the daemon, escaped processes too", async () => {
      const deadlineMs = harness.bootClockMs() + 2_000;
      const other = { ...harness.newPart(), id: "13.1" };
      const inner = "trap '' TERM; echo escaped=$$; while :; do sleep 0.1; done";
      const script = `setsid sh -c "${inner.replaceAll("$", "\\$")}" & trap '' TERM; sleep 0.2; echo ready; while :; do sleep 0.1; done`;
      const command = { ...harness.shellCommand("task-0", script), termGraceMs: 300 };
      const daemon = await harness.otherDaemon(other, command, deadlineMs);
      daemon.kill("SIGKILL");
      const escaped = harness.printed(command, "escaped");
      expect(liveProcess(escaped)).toBeDefined();
      await harness.pass(deadlineMs - 100 - harness.bootClockMs());
      expect(liveProcess(escaped)).toBeDefined();
      await until(() => liveProcess(escaped) === undefined, 1_000);
      expect(await harness.executor.wait(other, "task-0")).toMatchObject({ code: 137, endedBy: "deadline" });
    });

    it("is adopted by a fresh executor after the daemon was killed", async () => {
      const other = { ...harness.newPart(), id: "13.1" };
      const command = harness.command("task-0", { kind: "runs", onTerm: "end" });
      const daemon = await harness.otherDaemon(other, command, harness.bootClockMs() + 60_000);
      daemon.kill("SIGKILL");
      await once(daemon, "exit");
      const executor = new ProcessExecutor(harness.options);
      const found = (await executor.list()).find((candidate) => candidate.part.id === "13.1");
      expect(found).toMatchObject({
        part: other,
        ended: false,
        commands: [{ name: "task-0", state: { kind: "running" } }],
      });
      expect(await executor.start(other, command)).toMatchObject({ adopted: true });
      const waiting = executor.wait(other, "task-0");
      await executor.stop(other, "task-0", 5_000);
      expect(await waiting).toMatchObject({ code: 143, endedBy: "stopped" });
      expect(harness.output(command)).toBe("ready\n");
      expect(await executor.endPart(other, 0)).toEqual({ kind: "gone" });
    });

    it("runs a command once when two daemons start it at the same time", async () => {
      const command = harness.shellCommand("task-0", "echo ran");
      const executors = [harness.executor, new ProcessExecutor(harness.options)];
      await Promise.all(executors.map((executor) => executor.start(part, command)));
      for (const executor of executors)
        expect(await executor.wait(part, "task-0")).toMatchObject({ code: 0 });
      expect(harness.output(command)).toBe("ran\n");
    });

    it("ends the command when its shim is killed", async () => {
      const command = harness.shellCommand("task-0", family);
      await harness.startReady(part, command);
      sendSignal(harness.folder(part, "task-0").shim()?.pid ?? 0, "SIGKILL");
      expect(await harness.executor.wait(part, "task-0")).toMatchObject({ code: 137, endedBy: "shim-lost" });
      expect(liveProcess(harness.printed(command, "self"))).toBeUndefined();
      expect(liveProcess(harness.printed(command, "child"))).toBeUndefined();
    });

    it("ends the command when daemon, shim and guard are all killed", async () => {
      const other = { ...harness.newPart(), id: "13.1" };
      const command = harness.shellCommand("task-0", family);
      const daemon = await harness.otherDaemon(other, command, harness.bootClockMs() + 60_000);
      const folder = harness.folder(other, "task-0");
      await until(() => harness.watcher() !== undefined);
      daemon.kill("SIGKILL");
      sendSignal(folder.started()?.guard.pid ?? 0, "SIGKILL");
      sendSignal(folder.shim()?.pid ?? 0, "SIGKILL");
      await until(() => liveProcess(harness.printed(command, "child")) === undefined, 3_000);
      await until(() => folder.exit() !== undefined, 3_000);
      expect(folder.exit()).toMatchObject({ code: 137, endedBy: "shim-lost" });
    });

    it("ends the command when only its guard is killed, for then no one keeps the deadline", async () => {
      const command = harness.shellCommand("task-0", family);
      await harness.startReady(part, command);
      sendSignal(harness.folder(part, "task-0").started()?.guard.pid ?? 0, "SIGKILL");
      expect(await harness.executor.wait(part, "task-0")).toMatchObject({ code: 137, endedBy: "shim-lost" });
    });

    it("takes a start that is half on record for a start under way", async () => {
      const starting = harness.shellCommand("task-0", family);
      await harness.startReady(part, starting);
      writeFileSync(join(harness.folder(part, "task-0").path, "started"), "");
      await harness.startReady(part, harness.shellCommand("task-1", family));
      const later = harness.folder(part, "task-1");
      sendSignal(later.started()?.guard.pid ?? 0, "SIGKILL");
      sendSignal(later.shim()?.pid ?? 0, "SIGKILL");
      // The watcher looks in the order of names: when it has ended the later command, it has seen the first one too.
      await until(() => later.exit() !== undefined);
      expect(liveProcess(harness.printed(starting, "self"))).toBeDefined();
    });

    it("replaces a watcher that was killed", async () => {
      await harness.startReady(part, harness.command("task-0", { kind: "runs", onTerm: "end" }));
      const waiting = harness.executor.wait(part, "task-0");
      await until(() => harness.watcher() !== undefined);
      const first = harness.watcher() ?? 0;
      sendSignal(first, "SIGKILL");
      await until(() => (harness.watcher() ?? first) !== first);
      await harness.executor.stop(part, "task-0", 0);
      await waiting;
    });

    it("leaves no process at rest", async () => {
      await harness.startReady(part, harness.command("task-0", { kind: "runs", onTerm: "end" }));
      await until(() => harness.watcher() !== undefined);
      const pids = [harness.watcher(), harness.folder(part, "task-0").shim()?.pid] as const;
      await harness.executor.endPart(part, 1_000);
      await until(() => pids.every((pid) => liveProcess(pid ?? 0) === undefined), 5_000);
      expect(harness.watcher()).toBeUndefined();
    });

    it("leaves nothing of a part in the file system but its records, and those until it is forgotten", async () => {
      await harness.startReady(part, harness.command("task-0", { kind: "runs", onTerm: "end" }));
      await harness.executor.endPart(part, 1_000);
      const { cgroup } = harness.executor.capabilities;
      if (cgroup.kind === "cgroup2") expect(readdirSync(cgroup.base)).not.toContain(`part-${part.id}`);
      expect(await new ProcessExecutor(harness.options).wait(part, "task-0")).toMatchObject({ code: 143 });
      await harness.executor.forgetPart(part);
      expect(readdirSync(join(harness.options.stateDir, "parts"))).toEqual([]);
    });
  });
}

/** What a shell of ours reads after it asked for -900: a container may forbid it. */
function oomScoreOfShims(): string {
  const script = "echo -900 2>/dev/null >/proc/self/oom_score_adj; cat /proc/$$/oom_score_adj";
  return execFileSync("sh", ["-c", script], { encoding: "utf8", stdio: "pipe" });
}
