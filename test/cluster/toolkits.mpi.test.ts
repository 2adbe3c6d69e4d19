import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Job } from "../../cli/client/client.ts";
import { commandOf } from "./test-daemon.ts";
import { TestMesh } from "./test-mesh.ts";

const jobs = join(import.meta.dirname, "jobs");
/** Where the job files say that the programs are. */
const installed = "/opt/gpumesh-test-jobs";

describe("Batch AI's job files, run for real", () => {
  let mesh: TestMesh;
  beforeAll(async () => {
    mesh = await TestMesh.start({ daemons: 3, slots: 2 });
  });
  afterAll(() => mesh?.stop());

  it("customMpiSettings: every rank under mpirun, in blocks over the nodes, the sum is right", async () => {
    const job = await run("custom-mpi");
    expect(job).toMatchObject({ name: "custom-mpi", toolkit: "customMpi", nodeCount: 3 });
    expect(ranksIn(await mesh.log(job.id))).toEqual([
      "rank 0 of 5 on n1 sum 15",
      "rank 1 of 5 on n1 sum 15",
      "rank 2 of 5 on n2 sum 15",
      "rank 3 of 5 on n2 sum 15",
      "rank 4 of 5 on n3 sum 15",
    ]);
    expect(await mesh.log(job.id, "stderr")).toBe(`from ${jobs}\n`.repeat(5));
  });

  it("horovodSettings: the script as every rank under mpirun", async () => {
    const job = await run("horovod");
    expect(job).toMatchObject({ name: "horovod", toolkit: "horovod" });
    expect(ranksIn(await mesh.log(job.id))).toEqual([
      "rank 0 of 4 on n1 sum 10",
      "rank 1 of 4 on n1 sum 10",
      "rank 2 of 4 on n2 sum 10",
      "rank 3 of 4 on n2 sum 10",
    ]);
  });

  it("customToolkitSettings: one command, whose own mpirun finds the gang's nodes by itself", async () => {
    const job = await run("custom-toolkit");
    expect(job).toMatchObject({ name: "custom-toolkit", toolkit: "customToolkit" });
    expect(job.attempts[0]?.parts.map(({ node, commands }) => [node, commands])).toEqual([
      ["n1", ["task-0"]],
      ["n2", []],
    ]);
    expect(ranksIn(await mesh.log(job.id))).toEqual([
      "rank 0 of 4 on n1 sum 10",
      "rank 1 of 4 on n1 sum 10",
      "rank 2 of 4 on n2 sum 10",
      "rank 3 of 4 on n2 sum 10",
    ]);
  });

  it("pyTorchSettings: every rank on its node, with its place in the group and the rendezvous", async () => {
    const job = await run("pytorch");
    expect(job).toMatchObject({ name: "pytorch", toolkit: "pyTorch" });
    expect(job.attempts[0]?.parts.map(({ commands }) => commands)).toEqual([
      ["task-0", "task-1"],
      ["task-2", "task-3"],
      ["task-4"],
    ]);
    expect(await mesh.log(job.id)).toBe(
      [
        "rank 0 of 5 at 0 2 0 n1 sum 10",
        "rank 1 of 5 at 1 2 0 n1 sum 10",
        "rank 2 of 5 at 0 2 1 n2 sum 10",
        "rank 3 of 5 at 1 2 1 n2 sum 10",
        "rank 4 of 5 at 0 1 2 n3 sum 10",
        "",
      ].join("\n"),
    );
  });

  it("a rank that fails under mpirun is the job's failure, with its exit code", async () => {
    const text = jobText("custom-mpi").replace("exec /usr/bin/python3", "exit 3; exec /usr/bin/python3");
    const job = await mesh.client.wait(await submitText(text));
    expect(job).toMatchObject({ state: "failed", exitCode: 3 });
    expect(await mesh.log(job.id, "stderr")).toContain("a non-zero exit code");
  });

  it("mpirun that is cancelled leaves no rank on any node", async () => {
    const text = jobText("custom-mpi").replace("allreduce.py", `allreduce.py ${join(mesh.dir, "never")}`);
    const id = await submitText(text);
    await mesh.until(async () => {
      const { state } = await mesh.client.job(id);
      return state === "running" && (await mesh.log(id)).split("\n").length === 6;
    }, "the ranks' sums");
    await mesh.client.cancel(id);
    expect((await mesh.client.wait(id)).state).toBe("cancelled");
    const left = mesh.daemons.flatMap((daemon) => daemon.processes()).map(commandOf);
    expect(left.filter((command) => /allreduce\.py|orted|mpirun|gpumesh-rsh/.test(command))).toEqual([]);
  });

  async function run(name: string): Promise<Job> {
    return mesh.succeeded(await submitText(jobText(name)));
  }

  async function submitText(text: string): Promise<number> {
    const result = await mesh.client.submit(text);
    if (result.kind === "faults") throw new Error(JSON.stringify(result.faults));
    return result.jobId;
  }
});

/** The job file as it stands, but for the folder of the programs. */
function jobText(name: string): string {
  const text = readFileSync(join(jobs, `${name}.json`), "utf8");
  if (!text.includes(installed)) throw new Error(`${name}.json does not name ${installed}`);
  return text.replaceAll(installed, jobs);
}

/** The lines of allreduce.py in rank order, without the machine's host name, which is the same for all. */
function ranksIn(log: string): readonly string[] {
  return log
    .trimEnd()
    .split("\n")
    .toSorted()
    .map((line) => line.replace(/ at \S+/, ""));
}
