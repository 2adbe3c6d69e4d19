import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ApiHandlers } from "../proto/gen/gpumesh/v1/Api.ts";
import type { Node__Output as Node } from "../proto/gen/gpumesh/v1/Node.ts";
import { TestBench, type Ran } from "./cli.fixture.ts";
import { attempt, failure, job } from "./client/test-mesh.fixture.ts";

const bench = new TestBench();
beforeEach(() => bench.begin());
afterEach(() => bench.end());
const gpumesh = (...argv: readonly string[]): Promise<Ran> => bench.run(argv);

function node(fields: Partial<Node>): Node {
  const nothing = { reason: "", spot: false, leader: false, jobs: [], gpus: [], interfaces: [], driver: "" };
  const numbers = { number: 1, cpus: 8, memoryMib: 1024, slots: 8, slotsUsed: 2, sinceMs: 0 };
  const words = { name: "a", state: "idle", address: "10.0.0.1:7480", pool: "default", version: "0.1.0" };
  return { ...nothing, ...numbers, ...words, raftRole: "voter", ...fields };
}

const gpu = { index: 0, uuid: "GPU-1", name: "H100", memoryMib: 0, pciBusId: "", healthy: true, reasons: [] };

describe("gpumesh job list and show", () => {
  it("print tables that no name can break", async () => {
    const hostile = job({ id: 2, name: "\x1b[2J", state: "queued", reason: "needs 4 nodes\nof 2" });
    await bench.serve({
      ListJobs: (call, reply) => {
        expect(call.request).toEqual({ states: ["queued", "failed"], limit: 100 });
        reply(null, { jobs: [hostile], truncated: true });
      },
    });
    const ran = await gpumesh("job", "list", "--state", "queued", "failed");
    expect(ran.stdout).toMatch(
      /^ID  NAME {5}STATE {3}PRIORITY  NODES  TOOLKIT {8}AGE +REASON\n2 {3}\\x1b\[2J  queued .* needs 4 nodes\\x0aof 2\n$/,
    );
    expect(ran).toMatchObject({ exitCode: 0, stderr: "There are more; these are the newest 1.\n" });
  });

  it("print the API's documents as JSON, and nothing else", async () => {
    await bench.serve({
      ListJobs: (_, reply) => reply(null, { jobs: [job()], truncated: false }),
      GetJob: (_, reply) => reply(null, job({ id: 12 })),
    });
    const list = await gpumesh("job", "list", "--output", "json");
    expect(JSON.parse(list.stdout)).toEqual({ jobs: [job()], truncated: false });
    const shown = await gpumesh("--output", "json", "job", "show", "12");
    expect(JSON.parse(shown.stdout)).toEqual(job({ id: 12 }));
  });

  it("say first why the job is as it is", async () => {
    const failed = job({
      state: "failed",
      exitCode: 3,
      reason: "task-0 exited with 3",
      attempts: [attempt({ outcome: "failed", endedAtMs: 62_000, reason: "task-0 exited with 3" })],
    });
    await bench.serve({ GetJob: (_, reply) => reply(null, failed) });
    const { stdout } = await gpumesh("job", "show", "7");
    expect(stdout).toMatch(/^job 7 \(train\) failed with exit code 3: task-0 exited with 3\n/);
    expect(stdout).toMatch(/1 {8}node-a +- +1 +failed +1970-01-01T00:00:02Z +1m +task-0 exited with 3\n/);
  });

  it("say what a job waits for, node by node", async () => {
    const nodes = [{ node: "a", fits: false, reason: "2 GPUs are free, 8 are needed" }];
    const wait = { summary: "needs 2 nodes", nodesNeeded: 2, nodesAvailable: 0, nodes };
    await bench.serve({
      GetJob: (_, reply) => reply(null, job({ state: "queued", reason: "needs 2 nodes", wait })),
    });
    const { stdout } = await gpumesh("job", "show", "7");
    expect(stdout).toContain("job 7 (train) is queued: needs 2 nodes\n");
    expect(stdout).toContain("NODE  FITS  WHY\na     no    2 GPUs are free, 8 are needed\n");
  });

  it("fail for a job that is not there, in the mesh's words", async () => {
    await bench.serve({
      GetJob: (_, reply) => reply(failure(status.NOT_FOUND, "there is no job 9; the newest is 3")),
    });
    expect(await gpumesh("job", "show", "9")).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: "gpumesh: there is no job 9; the newest is 3\n",
    });
  });
});

describe("gpumesh node list and status", () => {
  const nodes = [
    node({
      leader: true,
      gpus: [
        { ...gpu, jobId: 3 },
        { ...gpu, jobId: 0 },
      ],
    }),
    node({ name: "b", state: "lost", address: "10.0.0.2:7480", raftRole: "client" }),
  ];
  const status: Partial<ApiHandlers> = {
    ListNodes: (_, reply) => reply(null, { nodes }),
    GetMesh: (_, reply) =>
      reply(null, {
        id: "test-mesh",
        leader: "a",
        term: 3,
        voters: ["a"],
        nodesByState: { idle: 1, lost: 1 },
      }),
  };
  const addresses = (): unknown =>
    JSON.parse(readFileSync(join(bench.folder, "context.json"), "utf8")) as unknown;

  it("show the nodes, and keep their addresses for the next time", async () => {
    await bench.serve(status);
    expect((await gpumesh("node", "list")).stdout).toBe(
      "NAME  STATE  GPUS  SLOTS  POOL     ADDRESS        ROLE     VERSION\n" +
        "a     idle   1/2   2/8    default  10.0.0.1:7480  leader*  0.1.0\n" +
        "b     lost   0/0   2/8    default  10.0.0.2:7480  client   0.1.0\n",
    );
    expect(addresses()).toEqual({ meshId: "test-mesh", addresses: ["10.0.0.1:7480", "10.0.0.2:7480"] });
  });

  it("show the mesh, and keep the addresses, too", async () => {
    await bench.serve(status);
    const { stdout } = await gpumesh("status");
    expect(stdout).toContain("leader   a (term 3)\n");
    expect(stdout).toContain("nodes    1 idle, 1 lost\n");
    expect(addresses()).toMatchObject({ addresses: ["10.0.0.1:7480", "10.0.0.2:7480"] });
  });

  it("show one node, or name those that there are", async () => {
    await bench.serve(status);
    expect((await gpumesh("node", "show", "a")).stdout).toContain("0    H100  -       job 3  GPU-1\n");
    expect(await gpumesh("node", "show", "c")).toMatchObject({
      exitCode: 1,
      stderr: "gpumesh: there is no node c; there are a, b\n",
    });
  });
});

describe("gpumesh job submit", () => {
  it("prints the id, and what to try next, and why the job waits", async () => {
    await bench.serve({
      SubmitJob: (_, reply) => reply(null, { jobId: 12, faults: [] }),
      WatchJob: (call) =>
        void call.write(job({ id: 12, state: "queued", reason: "needs 4 nodes, 2 are free" })),
    });
    const ran = await bench.run(["job", "submit", "-f", "-"], "a job");
    expect(ran).toMatchObject({ exitCode: 0, stdout: "12\n" });
    expect(ran.stderr).toContain("gpumesh job logs -f 12\n");
    expect(ran.stderr).toContain("gpumesh job show 12\n");
    expect(ran.stderr).toContain("job 12 waits: needs 4 nodes, 2 are free\n");
  });

  it("prints every fault, one a line", async () => {
    const faults = [
      { path: "nodeCount", found: "0", allowed: "a whole number from 1 to 10000" },
      { path: "", found: "no toolkit", allowed: "exactly one" },
    ];
    await bench.serve({ SubmitJob: (_, reply) => reply(null, { jobId: 0, faults }) });
    const text = await bench.run(["job", "submit", "-f", "-"]);
    expect(text).toEqual({
      exitCode: 2,
      stdout: "",
      stderr:
        "nodeCount: found 0; allowed: a whole number from 1 to 10000\njob file: found no toolkit; allowed: exactly one\n",
    });
    const json = await bench.run(["job", "submit", "--output", "json", "-f", "-"]);
    expect(json.exitCode).toBe(2);
    expect(JSON.parse(json.stdout)).toEqual({ jobId: 0, faults });
  });
});

describe("gpumesh job submit of several files", () => {
  const paths = (): readonly string[] =>
    ["a", "b"].map((name) => {
      const path = join(bench.folder, `${name}.yaml`);
      writeFileSync(path, `job ${name}`);
      return path;
    });

  it("sends them with one call and prints their ids in order", async () => {
    await bench.serve({
      SubmitJobs: ({ request }, reply) => {
        expect(request.jobs.map(({ jobFile }) => jobFile)).toEqual(["from stdin", "job a", "job b"]);
        reply(null, { jobs: request.jobs.map((_, nth) => ({ jobId: nth + 7, faults: [] })) });
      },
    });
    const argv = ["job", "submit", "-f", "-", ...paths()];
    expect(await bench.run(argv, "from stdin")).toEqual({ exitCode: 0, stdout: "7\n8\n9\n", stderr: "" });
    const json = await bench.run([...argv, "--output", "json"], "from stdin");
    const [a, b] = paths();
    expect(JSON.parse(json.stdout)).toEqual({
      jobs: [
        { file: "-", jobId: 7, faults: [] },
        { file: a, jobId: 8, faults: [] },
        { file: b, jobId: 9, faults: [] },
      ],
    });
  });

  it("names the file of every fault where none is queued", async () => {
    const faults = [{ path: "nodeCount", found: "0", allowed: "1 to 10000" }];
    await bench.serve({
      SubmitJobs: (_, reply) =>
        reply(null, {
          jobs: [
            { jobId: 0, faults: [] },
            { jobId: 0, faults },
          ],
        }),
    });
    const ran = await gpumesh("job", "submit", ...paths());
    expect(ran).toEqual({
      exitCode: 2,
      stdout: "",
      stderr:
        `${paths()[1]}: nodeCount: found 0; allowed: 1 to 10000\n` +
        "1 of 2 job files have faults; no job was queued.\n",
    });
  });
});

describe("gpumesh join-token", () => {
  it("prints the token alone on stdout", async () => {
    await bench.serve({
      CreateJoinToken: (call, reply) =>
        reply(null, { token: `t-${call.request.validMs}`, expiresAtMs: 1_777_636_800_000 }),
    });
    const ran = await gpumesh("join-token", "--valid", "30m");
    expect(ran).toMatchObject({ exitCode: 0, stdout: "t-1800000\n" });
    expect(ran.stderr).toContain("Good until 2026-05-01T12:00:00Z");
  });
});

describe("gpumesh", () => {
  it.each([
    [[]],
    [["bogus"]],
    [["job", "show"]],
    [["job", "show", "twelve"]],
    [["job", "list", "--state", "asleep"]],
    [["job", "list", "--limit", "0"]],
    [["job", "logs", "7", "--attempt", "x"]],
    [["job", "logs", "7", "--stdout-only", "--stderr-only"]],
    [["status", "--output", "xml"]],
    [["status", "--timeout", "soon"]],
    [["join-token", "--valid", "8d"]],
    [["run"]],
    [["job", "submit", "-f", "no-such-file.yaml"]],
    [["job", "submit"]],
    [["job", "submit", "-", "-"]],
    [["--timeout", "1", "up"]],
  ])("exits with 2 for the usage %j", async (argv) => {
    const ran = await gpumesh(...argv);
    expect(ran).toMatchObject({ exitCode: 2, stdout: "" });
    expect(ran.stderr).not.toBe("");
  });

  it("exits with 3 when no daemon answers, naming where it asked", async () => {
    const address = await bench.serve({});
    await bench.stopServer();
    const ran = await gpumesh("status", "--timeout", "0.2");
    expect(ran).toMatchObject({ exitCode: 3, stdout: "" });
    expect(ran.stderr).toContain(`${address}: nothing listens there (connection refused)\n`);
  });

  it("exits with 1 without a context, naming the next command", async () => {
    const ran = await gpumesh("status", "--context", join(bench.folder, "none"));
    expect(ran).toMatchObject({ exitCode: 1, stdout: "" });
    expect(ran.stderr).toContain('"gpumesh init"');
  });
});
