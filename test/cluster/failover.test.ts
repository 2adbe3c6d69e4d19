import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LogFollower } from "./log-follower.ts";
import { countLines, writeLinePrinter } from "./rank-scripts.ts";
import { TestMesh } from "./test-mesh.ts";

const ranks = ["task-0", "task-1"];

describe("a job whose leader's daemon is killed", () => {
  let mesh: TestMesh;
  beforeAll(async () => {
    mesh = await TestMesh.start({
      daemons: 3,
      slots: 2,
      pool: (number) => (number === 1 ? "front" : "back"),
    });
  });
  afterAll(() => mesh?.stop());

  it("goes on where the leader has none of its ranks, and its log is whole", async () => {
    const leader = await mesh.leaderAmong(["n1"]);
    const job = await startPrinters("front-leads");
    await leader.kill();
    await mesh.untilAnotherLeads(leader);
    await finishWhole(job);

    await leader.start();
    await mesh.untilWhole();
  });

  it("goes on where the leader carries ranks and its daemon is started again at once", async () => {
    const leader = await mesh.leaderAmong(["n2", "n3"]);
    const job = await startPrinters("back-leads");
    const { term } = await mesh.client.status();
    await leader.kill();
    await leader.start();
    await mesh.until(async () => (await mesh.client.status()).term > term, "a newer term");
    await finishWhole(job);
    await mesh.untilWhole();
  });

  interface PrintingJob {
    readonly id: number;
    readonly finish: string;
    readonly log: LogFollower;
  }

  /** Two ranks on the two nodes of the pool "back", printing and followed. */
  async function startPrinters(name: string): Promise<PrintingJob> {
    const script = join(mesh.dir, `${name}.sh`);
    const finish = join(mesh.dir, `${name}.finish`);
    writeLinePrinter(script, finish);
    const toolkit = { pythonInterpreterPath: "/bin/sh", pythonScriptFilePath: script };
    const id = await mesh.submit({
      name,
      pool: "back",
      nodeCount: 2,
      slotsPerNode: 1,
      pyTorchSettings: toolkit,
    });
    const log = new LogFollower(mesh.client, id);
    const job = { id, finish, log };
    await untilMoreLines(job);
    return job;
  }

  /** Both ranks printed more lines than they had, and the client has them. */
  async function untilMoreLines({ log }: PrintingJob): Promise<void> {
    const had = ranks.map((rank) => log.text(1, rank).length);
    await mesh.until(
      () => ranks.every((rank, index) => log.text(1, rank).length > (had[index] ?? 0) + 100),
      "more lines of both ranks",
    );
  }

  async function finishWhole(job: PrintingJob): Promise<void> {
    await untilMoreLines(job);
    writeFileSync(job.finish, "");
    const { attempts } = await mesh.succeeded(job.id);
    expect(attempts.map(({ number, outcome }) => [number, outcome])).toEqual([[1, "succeeded"]]);
    await job.log.ended;
    for (const rank of ranks) {
      expect(countLines(job.log.text(1, rank))).toBeGreaterThan(10);
      expect(job.log.text(1, rank, "stderr")).toBe("");
    }
  }
});
