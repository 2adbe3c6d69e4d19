import { spawn } from "node:child_process";
import { once } from "node:events";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { environmentCarriers, isAlive, liveProcess, parseStat, sendSignal } from "./processes.ts";

const tail = "S 41 42 43 0 -1 4194304 56 0 0 0 1 2 3 4 20 0 1 0 228893 2703360 312";

describe("parseStat", () => {
  it("reads the fields after the name, whatever the name holds", () => {
    const name = fc.string({ maxLength: 15 });
    fc.assert(
      fc.property(fc.oneof(name, fc.constantFrom(") R 1 (", "a b", "x)\n")), (text) => {
        const stat = { pid: 99, state: "S", session: 43, startTime: 228893 };
        expect(parseStat(`99 (${text}) ${tail}\n`)).toEqual(stat);
      }),
    );
  });

  it("refuses what is not a stat file", () => {
    expect(() => parseStat("")).toThrow("stat file");
  });
});

describe("processes", () => {
  it("knows itself, and no process of another start time", () => {
    const self = liveProcess(process.pid);
    expect(isAlive(process.pid, self?.startTime ?? 0)).toBe(true);
    expect(isAlive(process.pid, (self?.startTime ?? 0) + 1)).toBe(false);
  });

  it("finds carriers by a whole entry of their environment", async () => {
    const entry = `MARK=${process.pid}-of-this-test`;
    const start = (env: Record<string, string>) => spawn("sleep", ["100"], { env, stdio: "ignore" });
    const [name, value] = entry.split("=") as [string, string];
    const carrier = start({ FIRST: "x", [name]: value });
    const others = [start({ [name]: `${value}x` }), start({ OTHER: entry }), start({})];
    try {
      await Promise.all([carrier, ...others].map((child) => once(child, "spawn")));
      expect(await environmentCarriers(entry)).toEqual([carrier.pid]);
    } finally {
      for (const child of [carrier, ...others]) child.kill("SIGKILL");
    }
  });

  it("does not count a zombie as alive", async () => {
    const parent = spawn("sh", ["-c", "sleep 0.01 & echo $!; exec sleep 100"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const zombie = Number(line.toString());
    try {
      await expect.poll(() => liveProcess(zombie)).toBeUndefined();
      expect(sendSignal(zombie, "SIGCONT")).toBe(true);
    } finally {
      parent.kill("SIGKILL");
    }
  });

  it("sends no signal to a process group", () => {
    expect(() => sendSignal(0, "SIGCONT")).toThrow("pid 0");
    expect(() => sendSignal(-5, "SIGCONT")).toThrow("pid -5");
  });
});
