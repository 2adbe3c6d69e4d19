import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { commandLimits, runCommand } from "./run-command.ts";

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "gpumesh-run-command-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe("runCommand", () => {
  it("gives exit code and both outputs", async () => {
    expect(await sh("printf out; printf err >&2; exit 14")).toEqual({
      kind: "exited",
      exitCode: 14,
      stdout: "out",
      stderr: "err",
    });
  });

  it("passes arguments as they are, through no shell", async () => {
    const end = await runCommand("printf", ["%s", "$(id); 'a b'"], { timeoutMs: 10_000 });
    expect(end).toMatchObject({ kind: "exited", stdout: "$(id); 'a b'" });
  });

  it("counts a signal as 128 and its number", async () => {
    expect(await sh("kill -TERM $$")).toMatchObject({ kind: "exited", exitCode: 143 });
  });

  it("says that a program is absent", async () => {
    const end = await runCommand("nvidia-smi", [], { timeoutMs: 10_000, env: { PATH: dir } });
    expect(end).toEqual({ kind: "absent" });
  });

  it("kills the command and its helpers at the deadline, and waits for none of them", async () => {
    const pids = join(dir, "pids");
    const startMs = performance.now();
    // The helper would hold the output pipe open for a minute after the death of the shell.
    const end = await sh(`sleep 60 & echo $! $$ > ${pids}; trap '' TERM; wait`, { timeoutMs: 1000 });
    expect(performance.now() - startMs).toBeLessThan(10_000);
    expect(end).toEqual({ kind: "failed", reason: "it did not end within 1000 ms and was killed" });
    const left = (await readFile(pids, "utf8")).trim().split(" ").map(Number);
    expect(left).toHaveLength(2);
    for (const pid of left) await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 5000 });
  });

  it("ends at an abort, and does not start after one", async () => {
    const abort = new AbortController();
    const running = sh("sleep 60", { timeoutMs: 30_000, signal: abort.signal });
    abort.abort();
    expect(await running).toEqual({ kind: "failed", reason: "it was cancelled" });
    expect(await sh(`touch ${dir}/started`, { signal: abort.signal })).toMatchObject({ kind: "failed" });
    await expect(readFile(join(dir, "started"))).rejects.toThrow("ENOENT");
  });

  it("stops a command that writes without end", async () => {
    const end = await runCommand("yes", [], { timeoutMs: 30_000 });
    expect(end).toEqual({
      kind: "failed",
      reason: `it wrote more than ${commandLimits.outputBytesMax} bytes`,
    });
  });

  it("starts no more while as many as its limit were killed and have not ended, and any number before", async () => {
    const abort = new AbortController();
    const running = Array.from({ length: commandLimits.abandonedMax * 2 }, () =>
      sh("sleep 60", { timeoutMs: 30_000, signal: abort.signal }),
    );
    expect(await sh("exit 0")).toMatchObject({ kind: "exited" });
    abort.abort();
    // No exit can be seen before this turn of the event loop ends.
    const refused = sh("exit 0");
    expect(await refused).toMatchObject({
      kind: "failed",
      reason: expect.stringContaining("are still there"),
    });
    for (const end of await Promise.all(running)) expect(end).toMatchObject({ reason: "it was cancelled" });
    await vi.waitFor(async () => expect(await sh("exit 0")).toMatchObject({ kind: "exited" }), {
      timeout: 5000,
    });
  });
});

function sh(script: string, options: { timeoutMs?: number; signal?: AbortSignal } = {}) {
  return runCommand("sh", ["-c", script], { timeoutMs: 10_000, ...options });
}

/** A killed helper may stay as a zombie until its new parent collects it: that counts as dead. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
