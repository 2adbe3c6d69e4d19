import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ApiError } from "../../cli/client/client.ts";
import { commandOf } from "./test-daemon.ts";
import { TestMesh } from "./test-mesh.ts";

describe("jobs on a mesh of three", () => {
  let mesh: TestMesh;
  beforeAll(async () => {
    mesh = await TestMesh.start({ daemons: 3, slots: 2 });
  });
  afterAll(() => mesh?.stop());

  it("a failing command's exit code is the job's", async () => {
    const id = await mesh.submit(plain("fails", "echo to be read; echo why >&2; exit 3"));
    const job = await mesh.client.wait(id);
    expect(job).toMatchObject({ state: "failed", exitCode: 3 });
    expect(job.reason).toMatch(/^task-0 on node n\d exited with code 3$/);
    expect(job.attempts).toHaveLength(1);
    expect(await mesh.log(id)).toBe("to be read\n");
    expect(await mesh.log(id, "stderr")).toBe("why\n");
  });

  it("a job that fails is tried again as often as it asks, then has failed", async () => {
    const tries = join(mesh.dir, "tries");
    const id = await mesh.submit({ ...plain("retries", `echo x >>${tries}; exit 4`), maxRetries: 2 });
    const job = await mesh.client.wait(id);
    expect(job).toMatchObject({ state: "failed", exitCode: 4 });
    expect(job.attempts.map(({ number, outcome }) => `${number} ${outcome}`)).toEqual([
      "1 retried",
      "2 retried",
      "3 failed",
    ]);
  });

  it("a job that fails at first succeeds on a retry", async () => {
    const line = `test "$GPUMESH_ATTEMPT" -ge 2`;
    const id = await mesh.submit({ ...plain("recovers", line), maxRetries: 1 });
    expect((await mesh.succeeded(id)).attempts.map(({ outcome }) => outcome)).toEqual([
      "retried",
      "succeeded",
    ]);
  });

  it("the end of one rank with a failure ends the whole gang", async () => {
    const script = join(mesh.dir, "one-fails.sh");
    writeFileSync(script, `if [ "$RANK" = 1 ]; then exit 5; fi\nwhile :; do sleep 0.1; done\n`);
    const id = await mesh.submit({
      name: "one-fails",
      nodeCount: 3,
      slotsPerNode: 1,
      pyTorchSettings: { pythonInterpreterPath: "/bin/sh", pythonScriptFilePath: script },
    });
    expect(await mesh.client.wait(id)).toMatchObject({ state: "failed", exitCode: 5 });
    expect(processesNaming(script)).toEqual([]);
  });

  it("every rank of a PyTorch job has a place of its own, and all the same rendezvous", async () => {
    const script = join(mesh.dir, "places.sh");
    const names = ["RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "NODE_RANK", "PET_NODE_RANK"];
    const all = [...names, "AZ_BATCHAI_TASK_INDEX", "MASTER_ADDR", "MASTER_PORT"];
    writeFileSync(script, `echo ${all.map((name) => `"$${name}"`).join(" ")}\n`);
    const id = await mesh.submit({
      name: "places",
      nodeCount: 3,
      slotsPerNode: 2,
      pyTorchSettings: { pythonInterpreterPath: "/bin/sh", pythonScriptFilePath: script, processCount: 5 },
    });
    await mesh.succeeded(id);
    const ranks = (await mesh.log(id))
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" "));
    expect(ranks.map((fields) => fields.slice(0, -2).join(" "))).toEqual([
      "0 5 0 2 0 0 0",
      "1 5 1 2 0 0 1",
      "2 5 0 2 1 1 2",
      "3 5 1 2 1 1 3",
      "4 5 0 1 2 2 4",
    ]);
    const meetings = new Set(ranks.map((fields) => fields.slice(-2).join(":")));
    expect([...meetings]).toEqual([expect.stringMatching(/^127\.\d+\.\d+\.1:\d+$/)]);
  });

  it("a running job that is cancelled is cancelled only when nothing of it runs", async () => {
    const pidFile = join(mesh.dir, "cancelled.pid");
    const id = await mesh.submit(plain("cancel-running", `echo $$ >${pidFile}; while :; do sleep 0.1; done`));
    await mesh.until(() => existsSync(pidFile), "the command's start");
    await mesh.client.cancel(id);
    const job = await mesh.client.wait(id);
    expect(job.state).toBe("cancelled");
    expect(job.reason).toContain("admin");
    expect(processesNaming(pidFile)).toEqual([]);
    await expect(mesh.client.cancel(id)).rejects.toThrow(ApiError);
  });

  it("a queued job waits with its reason, and is cancelled at once", async () => {
    const finish = join(mesh.dir, "holder.finish");
    const line = `while [ ! -e ${finish} ]; do sleep 0.05; done`;
    const holder = await mesh.submit({ ...plain("holder", line), nodeCount: 3, slotsPerNode: 2 });
    await mesh.inState(holder, "running");
    const id = await mesh.submit({ ...plain("cancel-queued", "true"), nodeCount: 2, slotsPerNode: 1 });
    const queued = await mesh.client.job(id);
    expect(queued).toMatchObject({ state: "queued", wait: { nodesNeeded: 2, nodesAvailable: 0 } });
    expect(queued.reason).toContain(`job ${holder}`);
    await mesh.client.cancel(id);
    expect(await mesh.client.job(id)).toMatchObject({ state: "cancelled", attempts: [] });
    writeFileSync(finish, "");
    await mesh.succeeded(holder);
  });

  it.each([
    [{ nodeCount: 4, slotsPerNode: 1 }, "nodeCount", "at most 3"],
    [{ nodeCount: 1, slotsPerNode: 3 }, "slots", "at most 2"],
    [{ nodeCount: 1, gpusPerNode: 1 }, "gpus", "at most 0"],
    [{ nodeCount: 1, pool: "elsewhere" }, "pool", "default"],
  ])(
    "a job that no set of nodes could run is refused and the limit named: %j",
    async (asks, path, allowed) => {
      const result = await mesh.client.submit(JSON.stringify({ ...plain("too-large", "true"), ...asks }));
      if (result.kind !== "faults") throw new Error("it was queued");
      expect(result.faults).toHaveLength(1);
      expect(result.faults[0]?.path).toContain(path);
      expect(result.faults[0]?.allowed).toContain(allowed);
    },
  );

  it("the same request id is the same job, on whatever daemon", async () => {
    const text = JSON.stringify(plain("once", "true"));
    const options = { requestId: "once-and-only-once" };
    const first = await mesh.client.submit(text, options);
    expect(await mesh.client.submit(text, options)).toEqual(first);
  });

  it("many jobs at once all run, none twice", async () => {
    const runs = join(mesh.dir, "runs");
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        mesh.submit({ ...plain(`many-${index}`, `echo $GPUMESH_JOB_ID >>${runs}`), slotsPerNode: 1 }),
      ),
    );
    for (const id of ids) expect((await mesh.succeeded(id)).attempts).toHaveLength(1);
    const ran = readFileSync(runs, "utf8").trimEnd().split("\n").map(Number);
    expect(ran.toSorted((a, b) => a - b)).toEqual(ids.toSorted((a, b) => a - b));
  });

  /** Commands of the mesh that have this path in their arguments. */
  function processesNaming(path: string): readonly number[] {
    const all = mesh.daemons.flatMap((daemon) => daemon.processes());
    return all.filter((pid) => commandOf(pid).includes(path));
  }
});

function plain(name: string, commandLine: string) {
  return { name, customToolkitSettings: { commandLine } };
}
