import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ancestorsOf } from "../hosts/hosts.ts";
import { repositoryRoot } from "../machine.ts";
import { commandOf } from "./test-daemon.ts";

const names = ["dev1", "dev2", "dev3"];

/** The demo's daemons share one machine and its loopback, where Open MPI takes every 127.x address for its own host. */
describe("./install.sh demo", () => {
  let folder = "";
  let output = "";
  let exitCode: Promise<number | null>;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "gm-demo-"));
    const environment = { ...process.env, GPUMESH_DEMO_DIR: folder };
    const child = spawn(join(repositoryRoot, "install.sh"), ["demo"], {
      cwd: repositoryRoot,
      env: environment,
      stdio: "pipe",
    });
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    exitCode = new Promise((resolve) => child.once("close", resolve));
  });
  afterAll(async () => {
    const words = ["daemon/main.ts", "dev", "--stop", "--data", folder];
    const child = spawn(process.execPath, words, { cwd: repositoryRoot, stdio: "ignore" });
    await new Promise((resolve) => child.once("close", resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  it("trains on three daemons, each with ranks of its own, two of them through the remote shell", async () => {
    const owners = new Set<string>();
    const ended = exitCode.then(() => true);
    while (!(await Promise.race([ended, tick()]))) for (const name of ownersOfRanks()) owners.add(name);
    expect(await exitCode, output).toBe(0);
    expect([...owners].toSorted()).toEqual(names);

    expect(output).toMatch(/epoch {2}1 {2}loss 0\.\d+/);
    expect(output).toContain("the result is right");
    expect(output).toMatch(/job 1 \(spirals\) succeeded/);
    for (const name of names)
      expect(JSON.parse(read(name, "ledger/1.1.json"))).toMatchObject({ kind: "stopped", job: 1 });
    expect(names.map((name) => readdirSync(join(folder, name, "executor/parts/1.1/commands")))).toEqual([
      ["task-0"],
      [expect.stringMatching(/^rsh-[0-9a-f]{16}$/)],
      [expect.stringMatching(/^rsh-[0-9a-f]{16}$/)],
    ]);
    expect(read("dev1", "jobs/1.1/hostfile").split("\n").slice(1)).toEqual([
      "dev2 slots=1",
      "dev3 slots=1",
      "",
    ]);
    expect(read("dev1", "jobs/1.1/hostfile")).not.toContain("127.");
  });

  /** The daemons that have a rank of the training among their descendants now. */
  function ownersOfRanks(): readonly string[] {
    const daemons = new Map(names.map((name) => [pidOf(name), name]));
    const ranks = readdirSync("/proc")
      .map(Number)
      .filter((pid) => pid > 0 && /^\/usr\/bin\/python3\0train\.py\0$/.test(commandOf(pid)));
    return ranks.flatMap((pid) => ancestors(pid).flatMap((ancestor) => daemons.get(ancestor) ?? []));
  }

  /** None for a rank that ended meanwhile. */
  function ancestors(pid: number): readonly number[] {
    try {
      return ancestorsOf(pid);
    } catch {
      return [];
    }
  }

  function pidOf(name: string): number {
    try {
      return Number(read(name, "lock").split(" ")[0]);
    } catch {
      return -1;
    }
  }

  function read(name: string, path: string): string {
    return readFileSync(join(folder, name, path), "utf8");
  }
});

/** A look at the machine's processes is due; false, so that it can race with the end. */
function tick(): Promise<boolean> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), 20);
  });
}
