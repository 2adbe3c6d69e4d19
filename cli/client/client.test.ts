import { status } from "@grpc/grpc-js";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ApiHandlers } from "../../proto/gen/gpumesh/v1/Api.ts";
import { connectMesh, type Mesh, type MeshUnreachable } from "./client.ts";
import {
  deadAddress,
  failure,
  job,
  makeTestMesh,
  serve,
  serveSilence,
  type TestMesh,
  type TestServer,
} from "./test-mesh.fixture.ts";

let mesh: TestMesh;
beforeAll(async () => {
  mesh = await makeTestMesh();
});

const stops: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function start(handlers: Partial<ApiHandlers>, port?: number): Promise<TestServer> {
  const server = await serve(mesh, handlers, port);
  stops.push(() => server.stop());
  return server;
}

async function client(addresses: readonly string[], retryForMs = 10_000): Promise<Mesh> {
  const connected = await connectMesh({ context: mesh.context(addresses), retryForMs });
  stops.push(() => connected.close());
  return connected;
}

const leaderless: Partial<ApiHandlers> = {
  GetJob: (_, reply) => reply(failure(status.UNAVAILABLE, "no leader is known")),
};

describe("a call", () => {
  it("goes to a daemon of the mesh", async () => {
    const { address } = await start({
      GetJob: (call, reply) => reply(null, job({ id: call.request.jobId })),
    });
    expect(await (await client([address])).job(12)).toEqual(job({ id: 12 }));
  });

  it("goes on to the daemon that can carry it out, past one that is down, silent or without a leader", async () => {
    const silent = await serveSilence();
    stops.push(() => silent.stop());
    const good = await start({ GetJob: (_, reply) => reply(null, job()) });
    const others = [await deadAddress(), silent.address, (await start(leaderless)).address];
    const connected = await client([...others, good.address]);
    expect(await connected.job(7)).toEqual(job());
    const begun = performance.now();
    expect(await connected.job(7)).toEqual(job());
    expect(performance.now() - begun).toBeLessThan(200);
  });

  it("comes through when the daemon is back in time", async () => {
    const first = await start({ GetJob: (_, reply) => reply(null, job()) });
    const connected = await client([first.address]);
    await connected.job(7);
    await first.stop();
    const answer = connected.job(7);
    await start(
      { GetJob: (_, reply) => reply(null, job({ name: "second" })) },
      Number(first.address.split(":")[1]),
    );
    expect((await answer).name).toBe("second");
  });

  it("throws what the mesh says no to, at once", async () => {
    const { address } = await start({
      GetJob: (_, reply) => reply(failure(status.NOT_FOUND, "there is no job 7; the newest is 3")),
    });
    await expect((await client([address])).job(7)).rejects.toMatchObject({
      name: "ApiError",
      code: "NOT_FOUND",
      message: "there is no job 7; the newest is 3",
    });
  });

  it("gives up after its time, naming every address and what it met there", async () => {
    const silent = await serveSilence();
    stops.push(() => silent.stop());
    const dead = await deadAddress();
    const begun = performance.now();
    const error = await failureOf((await client([dead, silent.address], 1_000)).job(7));
    expect(performance.now() - begun).toBeLessThan(3_000);
    expect(error.name).toBe("MeshUnreachable");
    expect(error.tried).toMatchObject([
      { address: dead, error: "nothing listens there (connection refused)", answered: false },
      {
        address: silent.address,
        error: expect.stringMatching(/^no answer to a connection within \d\.\d s$/),
        answered: false,
      },
    ]);
    expect(error.forMs).toBeGreaterThanOrEqual(1_000);
    expect(error.message).toMatch(/test-mesh could not be reached for 1\.\d s:\n {2}.*\n {2}.*\nCheck/);
  });

  it("says that a mesh without a leader answers", async () => {
    const { address } = await start(leaderless);
    const error = await failureOf((await client([address], 300)).job(7));
    expect(error.tried).toEqual([{ address, error: "no leader is known", answered: true }]);
    expect(error.message).toContain("no daemon could carry out the call");
  });

  it("does not wait for another mesh to become this one", async () => {
    const stranger = await serve(await makeTestMesh(), {});
    stops.push(() => stranger.stop());
    const begun = performance.now();
    const error = await failureOf((await client([stranger.address])).job(7));
    expect(error.name).toBe("MeshUnreachable");
    expect(error.tried[0]?.error).toMatch(/another mesh/);
    expect(performance.now() - begun).toBeLessThan(3_000);
  });

  it("ends with the connection", async () => {
    const { address } = await start({ GetJob: () => undefined });
    const connected = await client([address]);
    const answer = connected.job(7);
    setTimeout(() => connected.close(), 50);
    await expect(answer).rejects.toThrow("closed");
  });

  it("ends with its signal, also before it begins", async () => {
    const stopped = new AbortController();
    const context = mesh.context([await deadAddress()]);
    const connected = await connectMesh({ context, signal: stopped.signal });
    stopped.abort(new Error("enough"));
    await expect(connected.job(7)).rejects.toThrow("enough");
    const late = await connectMesh({ context, signal: stopped.signal });
    await expect(late.job(7)).rejects.toThrow("enough");
  });
});

describe("submit", () => {
  it("gives the job's id, or all the faults", async () => {
    const faults = [
      { path: "nodeCount", found: "0", allowed: "1 to 10000" },
      { path: "name", found: '"a b"', allowed: "letters" },
    ];
    const { address } = await start({
      SubmitJob: ({ request }, reply) =>
        reply(null, request.jobFile === "good" ? { jobId: 4, faults: [] } : { jobId: 0, faults }),
    });
    const connected = await client([address]);
    expect(await connected.submit("good")).toEqual({ kind: "submitted", jobId: 4 });
    expect(await connected.submit("bad")).toEqual({ kind: "faults", faults });
  });

  it("carries one request id through all its tries", async () => {
    const seen: string[] = [];
    const handler =
      (answers: boolean): ApiHandlers["SubmitJob"] =>
      ({ request }, reply) => {
        seen.push(request.requestId);
        if (answers) reply(null, { jobId: 4, faults: [] });
        else reply(failure(status.UNAVAILABLE, "the leader changed"));
      };
    const [first, second] = [
      await start({ SubmitJob: handler(false) }),
      await start({ SubmitJob: handler(true) }),
    ];
    const connected = await client([first.address, second.address]);
    await connected.submit("job");
    await connected.submit("job", { requestId: "mine-12345" });
    const [a, b, c] = seen;
    expect(a).toMatch(/^[A-Za-z0-9-]{8,64}$/);
    expect(b).toBe(a);
    expect(c).toBe("mine-12345");
    expect(seen).toHaveLength(3);
  });
});

describe("submit of several jobs", () => {
  it("carries the same request ids through all its tries, one for each job", async () => {
    const seen: (readonly string[])[] = [];
    const handler =
      (answers: boolean): ApiHandlers["SubmitJobs"] =>
      ({ request: { jobs } }, reply) => {
        seen.push(jobs.map(({ requestId }) => requestId));
        if (answers) reply(null, { jobs: jobs.map((_, nth) => ({ jobId: nth + 4, faults: [] })) });
        else reply(failure(status.UNAVAILABLE, "the leader changed"));
      };
    const first = await start({ SubmitJobs: handler(false) });
    const second = await start({ SubmitJobs: handler(true) });
    const connected = await client([first.address, second.address]);
    const jobs = [{ jobFile: "a" }, { jobFile: "b", requestId: "mine-12345" }, { jobFile: "c" }];
    expect(await connected.submitAll(jobs)).toEqual([4, 5, 6].map((jobId) => ({ kind: "submitted", jobId })));
    const [firstTry = [], secondTry] = seen;
    expect(secondTry).toEqual(firstTry);
    expect(new Set(firstTry).size).toBe(3);
    expect(firstTry[1]).toBe("mine-12345");
  });

  it("gives each job's id or faults, or says that another one held it back", async () => {
    const faults = [{ path: "nodeCount", found: "0", allowed: "1 to 10000" }];
    const { address } = await start({
      SubmitJobs: (_, reply) =>
        reply(null, {
          jobs: [
            { jobId: 0, faults: [] },
            { jobId: 0, faults },
            { jobId: 9, faults: [] },
          ],
        }),
    });
    const answers = await (await client([address])).submitAll([{ jobFile: "a" }]);
    expect(answers).toEqual([
      { kind: "heldBack" },
      { kind: "faults", faults },
      { kind: "submitted", jobId: 9 },
    ]);
  });
});

describe("cancel", () => {
  const refusal = failure(status.FAILED_PRECONDITION, "job 7 can not be cancelled: it has already succeeded");

  it("is refused as the mesh says", async () => {
    const { address } = await start({ CancelJob: (_, reply) => reply(refusal) });
    await expect((await client([address])).cancel(7)).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
  });

  it("carries one request id through all its tries", async () => {
    const seen: string[] = [];
    const { address } = await start({
      CancelJob: ({ request }, reply) => {
        seen.push(request.requestId);
        if (seen.length === 1) reply(failure(status.UNAVAILABLE, "the leader changed"));
        else reply(null, {});
      },
    });
    const connected = await client([address]);
    await connected.cancel(7);
    await connected.cancel(7, { requestId: "mine-12345" });
    expect(seen[0]).toMatch(/^[A-Za-z0-9-]{8,64}$/);
    expect(seen).toEqual([seen[0], seen[0], "mine-12345"]);
  });
});

describe("watch", () => {
  it("goes on over a change of leader, without repeating itself, until the job has ended", async () => {
    const states = ["queued", "starting", "running", "succeeded"];
    const script =
      (from: number, to: number): ApiHandlers["WatchJob"] =>
      (call) => {
        for (const state of states.slice(from, to)) call.write(job({ state }));
        if (to < states.length)
          call.emit("error", failure(status.UNAVAILABLE, "the leader changed; ask again"));
        else call.end();
      };
    const first = await start({ WatchJob: script(0, 2) });
    const second = await start({ WatchJob: script(1, 4) });
    const seen: string[] = [];
    for await (const { state } of (await client([first.address, second.address])).watch(7)) seen.push(state);
    expect(seen).toEqual(states);
  });

  it("survives a daemon that dies", async () => {
    const first = await start({ WatchJob: (call) => void call.write(job()) });
    const second = await start({
      WatchJob: (call) => call.end(void call.write(job({ state: "failed", exitCode: 3 }))),
    });
    const seen: string[] = [];
    for await (const { state } of (await client([first.address, second.address])).watch(7)) {
      seen.push(state);
      await first.stop();
    }
    expect(seen).toEqual(["running", "failed"]);
  });

  it("gives the ended job to wait, and says no for a job that is not there", async () => {
    const { address } = await start({
      WatchJob: (call) => {
        if (call.request.jobId === 7) call.end(void call.write(job({ state: "cancelled" })));
        else call.emit("error", failure(status.NOT_FOUND, "there is no job 8"));
      },
    });
    const connected = await client([address]);
    expect(await connected.wait(7)).toMatchObject({ state: "cancelled" });
    await expect(connected.wait(8)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("gives up when no daemon answers any more", async () => {
    const server = await start({ WatchJob: (call) => void call.write(job()) });
    const connected = await client([server.address], 300);
    const watching = (async () => {
      for await (const _ of connected.watch(7)) await server.stop();
    })();
    await expect(watching).rejects.toMatchObject({ name: "MeshUnreachable" });
  });

  it("ends with its signal", async () => {
    const { address } = await start({ WatchJob: (call) => void call.write(job()) });
    const enough = new AbortController();
    const watching = (async () => {
      const connected = await client([address]);
      for await (const _ of connected.watch(7, { signal: enough.signal })) enough.abort(new Error("enough"));
    })();
    await expect(watching).rejects.toThrow("enough");
  });
});

async function failureOf(work: Promise<unknown>): Promise<MeshUnreachable> {
  return work.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: unknown) => error as MeshUnreachable,
  );
}
