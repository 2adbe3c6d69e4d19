import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { overlaps, rankLives, writeRecorder } from "./rank-scripts.ts";
import type { TestDaemon } from "./test-daemon.ts";
import { TestMesh } from "./test-mesh.ts";

describe("a job whose node dies with all that runs on it", () => {
  let mesh: TestMesh;
  beforeAll(async () => {
    mesh = await TestMesh.start({ daemons: 3, slots: 2 });
  });
  afterAll(() => mesh?.stop());

  // Of three equal nodes a gang of two takes the first two by name.
  it("runs again on other nodes, never twice at a time, when the node was the leader", async () => {
    const leader = await mesh.leaderAmong(["n1", "n2"]);
    await expectNewAttemptWithout("leader-dies", () => leader);
  });

  it("runs again when the node was any other", async () => {
    const leader = await mesh.leader();
    await expectNewAttemptWithout("worker-dies", (nodes) => {
      return mesh.daemon(nodes.find((name) => name !== leader.name) ?? "none");
    });
  });

  /** Runs two ranks on two whole nodes, kills one of these, and looks at both attempts' own records. */
  async function expectNewAttemptWithout(
    name: string,
    choose: (nodes: readonly string[]) => TestDaemon,
  ): Promise<void> {
    const [script, finish, records] = ["sh", "finish", "records"].map((end) =>
      join(mesh.dir, `${name}.${end}`),
    );
    if (script === undefined || finish === undefined || records === undefined) throw new Error("three paths");
    writeRecorder(script, records, finish);
    const toolkit = { pythonInterpreterPath: "/bin/sh", pythonScriptFilePath: script };
    const id = await mesh.submit({ name, nodeCount: 2, slotsPerNode: 2, pyTorchSettings: toolkit });
    const first = (await mesh.inState(id, "running")).attempts[0];
    const nodes = first?.parts.map((part) => part.node) ?? [];
    await mesh.until(() => rankLives(records).length === 2, "records of both ranks");

    const victim = choose(nodes);
    expect(nodes).toContain(victim.name);
    await victim.killNode();
    await mesh.until(() => rankLives(records).length === 4, "records of both ranks of the second attempt");
    writeFileSync(finish, "");
    const { attempts } = await mesh.succeeded(id);

    expect(attempts.map(({ number, outcome }) => [number, outcome])).toEqual([
      [1, "retried"],
      [2, "succeeded"],
    ]);
    expect(attempts[0]?.reason).toContain(victim.name);
    expect(attempts[1]?.parts.map((part) => part.node)).not.toContain(victim.name);
    const lives = rankLives(records);
    expect(lives.map(({ attempt, rank, ended }) => [attempt, rank, ended])).toEqual([
      [1, 0, false],
      [1, 1, false],
      [2, 0, true],
      [2, 1, true],
    ]);
    expect(overlaps(lives)).toEqual([]);

    await victim.start();
    await mesh.untilWhole();
  }
});
