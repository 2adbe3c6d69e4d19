import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LogFollower } from "./log-follower.ts";
import { countLines, writeLinePrinter } from "./rank-scripts.ts";
import { commandOf } from "./test-daemon.ts";
import { TestMesh } from "./test-mesh.ts";

describe("a daemon that is killed and started again", () => {
  let mesh: TestMesh;
  beforeAll(async () => {
    mesh = await TestMesh.start({ daemons: 1, slots: 2 });
  });
  afterAll(() => mesh?.stop());

  it("adopts its running commands: the same process goes on, and its exit code counts", async () => {
    const job = await startPrinter("adopted", 7);
    const [rank] = ranksOf(job.script);
    const daemon = mesh.daemon("n1");
    await daemon.kill();
    await daemon.start();
    const had = job.log.text(1, "task-0").length;
    await mesh.until(() => job.log.text(1, "task-0").length > had + 100, "more lines after the restart");
    expect(ranksOf(job.script)).toEqual([rank]);

    writeFileSync(job.finish, "");
    const ended = await mesh.client.wait(job.id);
    expect(ended).toMatchObject({ state: "failed", exitCode: 7 });
    expect(ended.attempts).toHaveLength(1);
    await job.log.ended;
    expect(countLines(job.log.text(1, "task-0"))).toBeGreaterThan(10);
  });

  it("learns how a command ended while no daemon ran", async () => {
    const job = await startPrinter("ended-meanwhile", 9);
    const daemon = mesh.daemon("n1");
    await daemon.kill();
    writeFileSync(job.finish, "");
    await mesh.until(() => ranksOf(job.script).length === 0, "the end of the rank");
    await daemon.start();
    expect(await mesh.client.wait(job.id)).toMatchObject({ state: "failed", exitCode: 9 });
    await job.log.ended;
    expect(countLines(job.log.text(1, "task-0"))).toBeGreaterThan(0);
  });

  it("leaves running commands alone when it is stopped in order", async () => {
    const job = await startPrinter("stopped-in-order", 0);
    const [rank] = ranksOf(job.script);
    const daemon = mesh.daemon("n1");
    await daemon.stop();
    expect(ranksOf(job.script)).toEqual([rank]);
    await daemon.start();
    writeFileSync(job.finish, "");
    expect((await mesh.succeeded(job.id)).attempts).toHaveLength(1);
  });

  it("refuses to run beside one that has the same data folder, and names that one", async () => {
    const daemon = mesh.daemon("n1");
    const { code, output } = await daemon.attempt("run", "--data", daemon.folder);
    expect(code).toBe(1);
    expect(output).toBe(
      `gpumeshd: the data folder ${daemon.folder} is in use by the daemon with pid ${daemon.pid}. ` +
        `Stop that one first, or give this one another folder with --data\n`,
    );
    await expect(mesh.client.status()).resolves.toMatchObject({ leader: "n1" });
  });

  async function startPrinter(name: string, exitCode: number) {
    const script = join(mesh.dir, `${name}.sh`);
    const finish = join(mesh.dir, `${name}.finish`);
    writeLinePrinter(script, finish, exitCode);
    const toolkit = { commandLine: `exec /bin/sh ${script}` };
    const id = await mesh.submit({ name, slotsPerNode: 1, customToolkitSettings: toolkit });
    const log = new LogFollower(mesh.client, id);
    await mesh.until(() => log.text(1, "task-0").includes("line 5\n"), "the first lines");
    return { id, script, finish, log };
  }

  /** Processes of the mesh that run this script. */
  function ranksOf(script: string): readonly number[] {
    return mesh
      .daemon("n1")
      .processes()
      .filter((pid) => commandOf(pid) === `/bin/sh\0${script}\0`);
  }
});
