import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataFolder, SetupError } from "./data-folder.ts";
import { daemonOf, lockDataFolder } from "./lock.ts";

let folder: DataFolder;

beforeEach(() => {
  folder = new DataFolder(mkdtempSync(join(tmpdir(), "gm-lock-")));
});

afterEach(() => rmSync(folder.path, { recursive: true, force: true }));

describe("the lock of a data folder", () => {
  it("is one process's, until it gives it back", async () => {
    expect(daemonOf(folder)).toBeNull();
    const unlock = await lockDataFolder(folder);
    expect(daemonOf(folder)).toBe(process.pid);
    await expect(lockDataFolder(folder)).rejects.toThrow(SetupError);
    await expect(lockDataFolder(folder)).rejects.toThrow(`in use by the daemon with pid ${process.pid}`);
    expect(daemonOf(folder)).toBe(process.pid);
    await unlock();
    expect(daemonOf(folder)).toBeNull();
    await (
      await lockDataFolder(folder)
    )();
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it("makes the folder where there is none", async () => {
    const inner = new DataFolder(join(folder.path, "a", "b"));
    await lockDataFolder(inner);
    expect(existsSync(inner.lockFile)).toBe(true);
  });

  const stale: readonly [string, string][] = [
    ["of a process that is gone", "999999999 1\n"],
    ["of another process with the same pid", `${process.pid} 1\n`],
    ["that is empty", ""],
    ["that is no lock", "locked!"],
  ];
  for (const [what, text] of stale) {
    it(`does not count when it is one ${what}`, async () => {
      writeFileSync(folder.lockFile, text);
      expect(daemonOf(folder)).toBeNull();
      await lockDataFolder(folder);
      expect(readFileSync(folder.lockFile, "utf8")).toMatch(new RegExp(`^${process.pid} [1-9]\\d*\\n$`));
      expect(readdirSync(folder.path)).toEqual(["lock"]);
    });
  }

  it("goes to one of many processes that find a stale one at once", async () => {
    writeFileSync(folder.lockFile, "999999999 1\n");
    const script = `
      import { DataFolder } from ${JSON.stringify(new URL("./data-folder.ts", import.meta.url).href)};
      import { lockDataFolder } from ${JSON.stringify(new URL("./lock.ts", import.meta.url).href)};
      process.stdout.write("ready");
      await new Promise((resolve) => process.stdin.once("data", resolve));
      const won = await lockDataFolder(new DataFolder(process.argv[1])).then(() => "won", () => "lost");
      process.stdout.write(won);
      await new Promise((resolve) => process.stdin.once("end", resolve).resume());
    `;
    const racers = Array.from({ length: 4 }, () => {
      const child = spawn(process.execPath, ["--input-type=module", "-e", script, folder.path], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
      return { child, said: () => said, ended: new Promise((resolve) => child.once("exit", resolve)) };
    });
    const all = async (what: RegExp): Promise<void> => {
      while (!racers.every(({ said }) => what.test(said())))
        await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await all(/ready/);
    for (const { child } of racers) child.stdin.write("go");
    await all(/won|lost/);
    expect(racers.filter(({ said }) => said().includes("won"))).toHaveLength(1);
    for (const { child } of racers) child.stdin.end();
    await Promise.all(racers.map(({ ended }) => ended));
  });
});
