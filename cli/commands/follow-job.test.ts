import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ApiHandlers } from "../../proto/gen/gpumesh/v1/Api.ts";
import type { Job__Output as Job } from "../../proto/gen/gpumesh/v1/Job.ts";
import { TestBench, type Ran } from "../cli.fixture.ts";
import { attempt, job } from "../client/test-mesh.fixture.ts";

const bench = new TestBench();
beforeEach(() => bench.begin());
afterEach(() => bench.end());
const gpumesh = (...argv: readonly string[]): Promise<Ran> => bench.run(argv);

/** Everything about one job that has ended with these logs, by `command/STREAM`. */
function endedJob(ended: Job, logs: Readonly<Record<string, string | Buffer>>): Partial<ApiHandlers> {
  return {
    GetJob: (_, reply) => reply(null, ended),
    WatchJob: (call) => call.end(void call.write(ended)),
    ReadLog: (call) => {
      const { command, stream, offset } = call.request;
      const data = Buffer.from(logs[`${command}/${stream}`] ?? "");
      call.end(void call.write({ offset, data: data.subarray(offset), end: true }));
    },
  };
}

describe("gpumesh job logs", () => {
  it("passes the bytes of one command unchanged, each stream to its own", async () => {
    const ended = job({ state: "succeeded", attempts: [attempt({ outcome: "succeeded" })] });
    const bytes = Buffer.from([0, 1, 0x1b, 0x5b, 0xff, 0x0a, 0x41]);
    await bench.serve(endedJob(ended, { "task-0/STDOUT": bytes, "task-0/STDERR": "warned" }));
    const run = bench.start(["job", "logs", "7"]);
    expect(await run.exitCode).toBe(0);
    expect(run.stdoutBytes()).toEqual(bytes);
    expect(run.stderr()).toBe("warned");
    const json = await gpumesh("job", "logs", "7", "--stdout-only", "--output", "json");
    expect(JSON.parse(json.stdout)).toEqual({
      kind: "data",
      attempt: 1,
      command: "task-0",
      stream: "stdout",
      offset: 0,
      data: bytes.toString("base64"),
    });
  });

  it("names the command of each line where there are several", async () => {
    const ended = job({
      state: "succeeded",
      attempts: [attempt({ outcome: "succeeded" }, ["task-0", "task-1"])],
    });
    await bench.serve(endedJob(ended, { "task-0/STDOUT": "a\nb", "task-1/STDERR": "c\n" }));
    const ran = await gpumesh("job", "logs", "7");
    expect(ran).toEqual({ exitCode: 0, stdout: "[task-0] a\n[task-0] b\n", stderr: "[task-1] c\n" });
    expect((await gpumesh("job", "logs", "--command", "task-0", "7")).stdout).toBe("a\nb");
  });

  it("lets go of the job at Ctrl-C", async () => {
    let cancelled = false;
    await bench.serve({
      WatchJob: (call) => void call.write(job({ attempts: [attempt()] })),
      GetJob: (_, reply) => reply(null, job({ attempts: [attempt()] })),
      ReadLog: (call) =>
        void call.write({ offset: 0, data: Buffer.from(`${call.request.stream}\n`), end: false }),
      CancelJob: (_, reply) => {
        cancelled = true;
        reply(null, {});
      },
    });
    const run = bench.start(["job", "logs", "-f", "7"]);
    await expect.poll(run.stdout).toBe("STDOUT\n");
    run.interrupt();
    expect(await run.exitCode).toBe(130);
    expect(run.stderr()).toContain("gpumesh job logs -f 7");
    expect(cancelled).toBe(false);
  });
});

describe("gpumesh job wait, run and cancel", () => {
  it.each([
    ["succeeded", 0, 0],
    ["failed", 3, 3],
    ["failed", 0, 1],
    ["cancelled", 0, 130],
  ])("wait exits as the job that %s with %d did", async (state, exitCode, expected) => {
    await bench.serve(endedJob(job({ state, exitCode }), {}));
    expect((await gpumesh("job", "wait", "7")).exitCode).toBe(expected);
  });

  it("run submits the words, shows the output, and exits as the job did", async () => {
    const jobFiles: unknown[] = [];
    const ended = job({ state: "failed", exitCode: 5, attempts: [attempt({ outcome: "failed" })] });
    await bench.serve({
      ...endedJob(ended, { "task-0/STDOUT": "out", "task-0/STDERR": "err\n" }),
      SubmitJob: ({ request }, reply) => {
        jobFiles.push(JSON.parse(request.jobFile));
        reply(null, { jobId: 7, faults: [] });
      },
    });
    const ran = await gpumesh("run", "--nodes", "2", "--env", "A=1", "--env", "B=2", "train", "--nodes", "3");
    expect(jobFiles).toEqual([
      {
        name: "train",
        nodeCount: 2,
        environmentVariables: [
          { name: "A", value: "1" },
          { name: "B", value: "2" },
        ],
        customToolkitSettings: { commandLine: "train --nodes 3" },
      },
    ]);
    expect(ran).toMatchObject({ exitCode: 5, stdout: "out" });
    expect(ran.stderr).toMatch(/submitted[^]*err\n[^]*failed with exit code 5\n$/);
    await gpumesh("run", "--", "-x", "--output");
    expect(jobFiles[1]).toMatchObject({ customToolkitSettings: { commandLine: "-x --output" } });
  });

  it("run cancels its job at the first Ctrl-C, and leaves at the second", async () => {
    const cancels: number[] = [];
    const handlers: Partial<ApiHandlers> = {
      SubmitJob: (_, reply) => reply(null, { jobId: 7, faults: [] }),
      WatchJob: (call) => void call.write(job({ attempts: [attempt()] })),
      GetJob: (_, reply) => reply(null, job({ attempts: [attempt()] })),
      ReadLog: (call) => void call.write({ offset: 0, data: Buffer.from("x"), end: false }),
      CancelJob: (call, reply) => {
        cancels.push(call.request.jobId);
        reply(null, {});
      },
    };
    await bench.serve(handlers);
    const run = bench.start(["run", "--", "sleep", "1000"]);
    await expect.poll(run.stdout).toBe("x");
    run.interrupt();
    expect(run.stderr()).toContain("Cancelling job 7");
    await expect.poll(() => cancels).toEqual([7]);
    run.interrupt();
    expect(await run.exitCode).toBe(130);
    expect(run.stderr()).toContain("gpumesh job show 7");
  });

  it("cancel says how to see the end of it", async () => {
    await bench.serve({ CancelJob: (_, reply) => reply(null, {}) });
    expect(await gpumesh("job", "cancel", "7")).toMatchObject({
      exitCode: 0,
      stdout: "job 7 is being cancelled; to see when it is: gpumesh job wait 7\n",
    });
  });
});
