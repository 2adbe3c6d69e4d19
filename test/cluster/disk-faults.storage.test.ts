import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LevelLog } from "../../daemon/raft/level-log.ts";
import type { RecoveredLog } from "../../daemon/raft/raft-log.ts";
import { untilOrThrow, type TestDaemon } from "./test-daemon.ts";
import { TestMesh } from "./test-mesh.ts";

const faultMsMax = 60_000;
/** Of the tmpfs that holds a daemon's raft log. */
const diskMiB = 32;

let mesh: TestMesh;
/** Jobs whose submission was acknowledged. */
const acknowledged: number[] = [];

beforeAll(async () => {
  mesh = await TestMesh.start({ daemons: 3, slots: 1, beforeStart: ({ folder }) => mountRaftFolder(folder) });
  await submit(3);
});

afterAll(async () => {
  if (mesh === undefined) return;
  await Promise.all(mesh.daemons.map((daemon) => daemon.killNode()));
  for (const daemon of mesh.daemons) spawnSync("umount", [raftFolder(daemon)]);
  await mesh.stop();
});

describe.each(["follower", "leader"] as const)("the disk of the %s", (role) => {
  it("that is full ends its daemon with what to do; the others go on, and it comes back without a loss", async () => {
    const victim = await pick(role);
    const filler = join(raftFolder(victim), "filler");
    fill(filler);
    await submitUntilEnded(victim);
    expectFatal(victim, /No space left on device.*Free or repair the disk, then start the daemon again/);
    await submit(3);
    rmSync(filler);
    await expectBack(victim);
  });

  it("that fails to sync does so too", async () => {
    const victim = await pick(role);
    const tracer = await failSyncs(victim.pid);
    await submitUntilEnded(victim);
    tracer.kill();
    expectFatal(victim, /(Input\/output error|EIO).*Free or repair the disk, then start the daemon again/);
    await submit(3);
    await expectBack(victim);
  });
});

it("the logs that are left are the same", async () => {
  await Promise.all(mesh.daemons.map((daemon) => daemon.stop()));
  const logs = await Promise.all(mesh.daemons.map((daemon) => recoveredFrom(raftFolder(daemon))));
  // What is not committed may differ: they all stopped at once, and each leader handed over.
  const committed = Math.min(...logs.map(({ hardState }) => hardState.commit));
  const common = logs.map(({ entries }) => entries.filter(({ index }) => index <= committed));
  expect(common[0]?.length).toBeGreaterThan(acknowledged.length);
  for (const log of common) expect(log).toEqual(common[0]);
  for (const daemon of mesh.daemons) await daemon.start();
  await untilAllServe();
});

it.each(["flipped byte", "cut file", "missing file"] as const)(
  "a log with a %s keeps its daemon from starting, with how to join again; the others go on",
  async (damage) => {
    const victim = await pick("follower");
    await submit(3);
    await victim.kill();
    const image = join(mesh.dir, "image");
    spawnSync("cp", ["-a", raftFolder(victim), image]);
    spoil(raftFolder(victim), damage);
    const { code, output } = await victim.attempt("run", "--data", victim.folder);
    expect([code, output]).toEqual([1, expect.stringMatching(/is damaged: .*let it join as a new member/s)]);
    await submit(2);
    // For the test that comes next: the log as it was.
    spawnSync("sh", [
      "-c",
      `rm -rf ${raftFolder(victim)}/* && cp -a ${image}/. ${raftFolder(victim)} && rm -rf ${image}`,
    ]);
    await expectBack(victim);
  },
);

/** All daemons vote, and none counts as lost; they may be busy. */
async function untilAllServe(): Promise<void> {
  await mesh.until(async () => {
    const [nodes, { voters }] = await Promise.all([mesh.client.nodes(), mesh.client.status()]);
    return voters.length === 3 && nodes.every(({ state }) => state === "idle" || state === "busy");
  }, "all daemons to serve");
}

function raftFolder({ folder }: Pick<TestDaemon, "folder">): string {
  return join(folder, "raft");
}

function mountRaftFolder(folder: string): void {
  const path = raftFolder({ folder });
  mkdirSync(path, { recursive: true });
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${diskMiB}m`, "tmpfs", path]);
  if (status !== 0) throw new Error(`no tmpfs at ${path}: ${stderr.toString()}`);
}

/** Jobs that need every node, so that they wait for each other, and change little but the log. */
async function submit(count: number): Promise<void> {
  for (let nth = 0; nth < count; nth++) {
    const name = `job-${acknowledged.length}`;
    const customToolkitSettings = { commandLine: "sleep 3600" };
    acknowledged.push(await mesh.submit({ name, nodeCount: 3, slotsPerNode: 1, customToolkitSettings }));
  }
}

/** Each submission is acknowledged, by whichever daemons are left, while this one meets its fault. */
async function submitUntilEnded(victim: TestDaemon): Promise<void> {
  const deadline = performance.now() + faultMsMax;
  while (!victim.hasEnded && performance.now() < deadline) await submit(1);
  expect(victim.hasEnded, mesh.logs()).toBe(true);
}

async function pick(role: "leader" | "follower"): Promise<TestDaemon> {
  const leader = await mesh.leader();
  const follower = mesh.daemons.find((daemon) => daemon !== leader);
  if (follower === undefined) throw new Error("there is no follower");
  return role === "leader" ? leader : follower;
}

function fill(path: string): void {
  const file = openSync(path, "w");
  const block = Buffer.alloc(64 * 1024, 1);
  try {
    for (;;) writeSync(file, block);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  } finally {
    closeSync(file);
  }
}

/** From now on every fdatasync of the process fails as on a broken disk. */
async function failSyncs(pid: number): Promise<ChildProcess> {
  const inject = "inject=fdatasync:error=EIO";
  const tracer = spawn("strace", [
    "-f",
    "-p",
    String(pid),
    "-e",
    "trace=fdatasync",
    "-e",
    inject,
    "-o",
    "/dev/null",
  ]);
  let said = "";
  tracer.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await untilOrThrow(
    () => /attached/.test(said),
    faultMsMax,
    () => `strace does not attach: ${said}`,
  );
  return tracer;
}

/** The daemon's last words name its log and the remedy. */
function expectFatal(daemon: TestDaemon, remedy: RegExp): void {
  const fatal = daemon
    .log()
    .trim()
    .split("\n")
    .findLast((line) => line.includes("fatal: "));
  expect(fatal, daemon.log()).toContain(raftFolder(daemon));
  expect(fatal).toMatch(remedy);
}

async function expectBack(victim: TestDaemon): Promise<void> {
  await victim.start();
  await untilAllServe();
  // A daemon answers by its own state, once that holds all that was committed before it was asked.
  const client = await mesh.clientOf(victim);
  const { jobs } = await client.jobs({ limit: 1000 });
  client.close();
  const known = new Set(jobs.map(({ id }) => id));
  expect(acknowledged.filter((id) => !known.has(id))).toEqual([]);
}

async function recoveredFrom(folder: string): Promise<RecoveredLog> {
  const log = await LevelLog.open(folder, { onFatal: () => {} });
  await log.close();
  return log.recovered;
}

/** Spoils the newest file of the log's own log, as a disk might. */
function spoil(folder: string, damage: "flipped byte" | "cut file" | "missing file"): void {
  const newest = readdirSync(folder)
    .filter((name) => name.endsWith(".log"))
    .map((name) => join(folder, name))
    .toSorted((a, b) => statSync(b).size - statSync(a).size)[0];
  if (newest === undefined) throw new Error(`there is no log file in ${folder}`);
  if (damage === "missing file") return rmSync(newest);
  if (damage === "cut file") return truncateSync(newest, Math.floor(statSync(newest).size / 2));
  const file = openSync(newest, "r+");
  const at = Math.floor(fstatSync(file).size / 2);
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ 0xff;
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}
