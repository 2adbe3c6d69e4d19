import { status } from "@grpc/grpc-js";
import fc from "fast-check";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ApiHandlers } from "../../proto/gen/gpumesh/v1/Api.ts";
import type { Job__Output as Job } from "../../proto/gen/gpumesh/v1/Job.ts";
import { connectMesh, type LogPiece, type LogsOptions, type Mesh } from "./client.ts";
import {
  attempt,
  failure,
  job,
  makeTestMesh,
  serve,
  type TestMesh,
  type TestServer,
} from "./test-mesh.fixture.ts";

let mesh: TestMesh;
beforeAll(async () => {
  mesh = await makeTestMesh();
});

const stops: (() => Promise<void> | void)[] = [];
const stopAll = async (): Promise<void> => {
  for (const stop of stops.splice(0).toReversed()) await stop();
};
afterEach(stopAll);

async function start(handlers: Partial<ApiHandlers>): Promise<TestServer> {
  const server = await serve(mesh, handlers);
  stops.push(() => server.stop());
  return server;
}

async function client(addresses: readonly string[], retryForMs = 10_000): Promise<Mesh> {
  const connected = await connectMesh({ context: mesh.context(addresses), retryForMs });
  stops.push(() => connected.close());
  return connected;
}

type ReadLogCall = Parameters<ApiHandlers["ReadLog"]>[0];

/** Answers everything about one job whose state `current` gives, and leaves its logs to `readLog`. */
function jobHandlers(current: () => Job, readLog: (call: ReadLogCall) => void): Partial<ApiHandlers> {
  return {
    GetJob: (_, reply) => reply(null, current()),
    WatchJob: (call) => {
      call.write(current());
      if (current().state === "succeeded") call.end();
    },
    ReadLog: readLog,
  };
}

const ended = (commands: readonly string[] = ["task-0"]): Job =>
  job({ state: "succeeded", attempts: [attempt({ outcome: "succeeded", endedAtMs: 3_000 }, commands)] });
const running = (commands: readonly string[] = ["task-0"]): Job => job({ attempts: [attempt({}, commands)] });

/** Sends the rest of `bytes` from the wanted offset on, and says that it is all. */
function sendAll(call: ReadLogCall, bytes: Buffer): void {
  const { offset } = call.request;
  call.write({ offset, data: bytes.subarray(offset), end: true });
  call.end();
}

async function collect(connected: Mesh, options: LogsOptions = {}): Promise<readonly LogPiece[]> {
  const pieces: LogPiece[] = [];
  for await (const piece of connected.logs(7, options)) pieces.push(piece);
  return pieces;
}

/** The bytes of each log, by `attempt/command/stream`, checked to follow each other without a gap. */
function contents(pieces: readonly LogPiece[]): Readonly<Record<string, string>> {
  const logs: Record<string, string> = {};
  for (const piece of pieces) {
    if (piece.kind === "lost") continue;
    const name = `${piece.attempt}/${piece.command}/${piece.stream}`;
    const before = logs[name] ?? "";
    expect(piece.offset).toBe(before.length);
    logs[name] = before + Buffer.from(piece.data).toString("latin1");
  }
  return logs;
}

describe("a log", () => {
  const cut = fc.record({
    afterBytes: fc.nat({ max: 40 }),
    code: fc.constantFrom(status.UNAVAILABLE, status.CANCELLED, status.INTERNAL, "ends early" as const),
    overlap: fc.nat({ max: 5 }),
  });

  it("gives each byte once, wherever and however its stream is cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom("task-0", "task-1", "task-2"), fc.uint8Array({ maxLength: 200 }), {
          minKeys: 1,
        }),
        fc.array(cut, { maxLength: 6 }),
        fc.integer({ min: 1, max: 30 }),
        async (texts, cuts, pieceBytes) => {
          const left = [...cuts];
          const readLog = (call: ReadLogCall): void => {
            const { command, stream, offset } = call.request;
            const bytes = stream === "STDOUT" ? Buffer.from(texts[command] ?? []) : Buffer.from(command);
            const next = left.shift();
            const until =
              next === undefined ? bytes.length : Math.min(bytes.length, offset + next.afterBytes);
            for (let at = Math.max(0, offset - (next?.overlap ?? 0)); at < until; at += pieceBytes) {
              call.write({
                offset: at,
                data: bytes.subarray(at, Math.min(until, at + pieceBytes)),
                end: false,
              });
            }
            if (next === undefined) sendAll(call, bytes.subarray(0, bytes.length));
            else if (next.code === "ends early") call.end();
            else call.emit("error", failure(next.code, "cut"));
          };
          // The attempt goes on while streams are cut, so that an early end is not taken for the end of the log.
          const commands = Object.keys(texts);
          const handlers = jobHandlers(
            () => (left.length > 0 ? running(commands) : ended(commands)),
            readLog,
          );
          handlers.WatchJob = (call) => {
            call.write(running(commands));
            call.write(ended(commands));
            call.end();
          };
          const { address } = await start(handlers);
          const pieces = await collect(await client([address]), { follow: true });
          const expected = commands.flatMap((command) => [
            [`1/${command}/stdout`, Buffer.from(texts[command] ?? []).toString("latin1")],
            [`1/${command}/stderr`, command],
          ]);
          expect(contents(pieces)).toEqual(Object.fromEntries(expected.filter(([, text]) => text !== "")));
          expect(pieces.filter(({ kind }) => kind === "lost")).toEqual([]);
          await stopAll();
        },
      ),
      { numRuns: 25 },
    );
  });

  it("goes on through another daemon when the one it came through dies", async () => {
    const bytes = Buffer.from("0123456789");
    const first = await start(
      jobHandlers(running, (call) => void call.write({ offset: 0, data: bytes.subarray(0, 4), end: false })),
    );
    const second = await start(jobHandlers(ended, (call) => sendAll(call, bytes)));
    const connected = await client([first.address, second.address]);
    const pieces: LogPiece[] = [];
    for await (const piece of connected.logs(7, { follow: true, stream: "stdout" })) {
      pieces.push(piece);
      await first.stop();
    }
    expect(contents(pieces)).toEqual({ "1/task-0/stdout": "0123456789" });
  });

  it("ends with what is there when it is not followed", async () => {
    const { address } = await start(
      jobHandlers(running, (call) => {
        expect(call.request.follow).toBe(false);
        call.write({ offset: 0, data: Buffer.from("so far"), end: false });
        call.end();
      }),
    );
    const pieces = await collect(await client([address]), { stream: "stdout" });
    expect(contents(pieces)).toEqual({ "1/task-0/stdout": "so far" });
  });

  it("with a gap is an error, not a shorter log", async () => {
    const { address } = await start(
      jobHandlers(ended, (call) => {
        call.write({ offset: 3, data: Buffer.from("x"), end: true });
        call.end();
      }),
    );
    await expect(collect(await client([address]))).rejects.toMatchObject({ code: "DATA_LOSS" });
  });

  it("that a daemon fails to read over and over is an error in the end", async () => {
    const { address } = await start(
      jobHandlers(running, (call) =>
        call.emit("error", failure(status.INTERNAL, "the daemon failed: a defect")),
      ),
    );
    await expect(collect(await client([address], 300), { follow: true })).rejects.toMatchObject({
      code: "INTERNAL",
      message: "the daemon failed: a defect",
    });
  });

  it("that is not there yet is waited for while its attempt goes on", async () => {
    let tries = 0;
    const { address } = await start(
      jobHandlers(
        () => (tries > 2 ? ended() : running()),
        (call) => {
          if (tries++ < 2) call.emit("error", failure(status.NOT_FOUND, "no such log here"));
          else sendAll(call, Buffer.from("late"));
        },
      ),
    );
    const connected = await client([address]);
    const pieces: LogPiece[] = [];
    for await (const piece of connected.logs(7, { follow: true, attempt: 1, stream: "stdout" }))
      pieces.push(piece);
    expect(contents(pieces)).toEqual({ "1/task-0/stdout": "late" });
  });

  it.each([
    [status.NOT_FOUND, "no such log here"],
    [status.UNAVAILABLE, "node node-a does not answer"],
  ])("that went with its node is given up once its attempt is over (%s)", async (code, details) => {
    const { address } = await start(
      jobHandlers(
        () => ended(["task-0", "task-1"]),
        (call) => {
          if (call.request.command === "task-0") call.emit("error", failure(code, details));
          else sendAll(call, Buffer.from("kept"));
        },
      ),
    );
    const pieces = await collect(await client([address], 300), { follow: true, stream: "stdout" });
    expect(contents(pieces)).toEqual({ "1/task-1/stdout": "kept" });
    expect(pieces.filter(({ kind }) => kind === "lost")).toEqual([
      { kind: "lost", attempt: 1, command: "task-0", stream: "stdout", node: "node-a", reason: details },
    ]);
  });
});

describe("the logs of a job", () => {
  it("follow it into its next attempt, and end with the job", async () => {
    const retried = attempt({ outcome: "retried", endedAtMs: 3_000 });
    const script = [
      job({ state: "queued", attempts: [], reason: "no node is free" }),
      job({ attempts: [attempt()] }),
      job({ state: "queued", attempts: [retried] }),
      job({ attempts: [retried, attempt({ number: 2 })] }),
      job({ state: "succeeded", attempts: [retried, attempt({ number: 2, outcome: "succeeded" })] }),
    ];
    const handlers = jobHandlers(
      () => script.at(-1) ?? job(),
      (call) => sendAll(call, Buffer.from(`${call.request.stream} of ${call.request.attempt}`)),
    );
    handlers.WatchJob = (call) => {
      for (const state of script) call.write(state);
      call.end();
    };
    const { address } = await start(handlers);
    const pieces = await collect(await client([address]), { follow: true });
    expect(contents(pieces)).toEqual({
      "1/task-0/stdout": "STDOUT of 1",
      "1/task-0/stderr": "STDERR of 1",
      "2/task-0/stdout": "STDOUT of 2",
      "2/task-0/stderr": "STDERR of 2",
    });
    expect(pieces.map((piece) => piece.attempt)).toEqual([1, 1, 2, 2]);
  });

  const two = job({
    state: "succeeded",
    attempts: [
      attempt({ outcome: "retried" }, ["task-0", "task-1"]),
      attempt({ number: 2, outcome: "succeeded" }, ["task-0", "task-1"]),
    ],
  });
  const twoAttempts = jobHandlers(
    () => two,
    (call) => sendAll(call, Buffer.from("x")),
  );

  it("are those of the newest attempt, or the one, the commands and the stream that were asked for", async () => {
    const connected = await client([(await start(twoAttempts)).address]);
    const names = async (options: LogsOptions): Promise<readonly string[]> =>
      Object.keys(contents(await collect(connected, options))).toSorted();
    expect(await names({ stream: "stdout" })).toEqual(["2/task-0/stdout", "2/task-1/stdout"]);
    expect(await names({ attempt: 1, commands: ["task-1"] })).toEqual(["1/task-1/stderr", "1/task-1/stdout"]);
    expect(await names({ follow: true, attempt: 1, stream: "stderr" })).toEqual([
      "1/task-0/stderr",
      "1/task-1/stderr",
    ]);
  });

  it.each([
    [
      { attempt: 3 },
      "FAILED_PRECONDITION",
      "has no attempt 3 that started; these did: 1, 2; it is succeeded",
    ],
    [{ attempt: 3, follow: true }, "FAILED_PRECONDITION", "has no attempt 3 that started"],
    [{ commands: ["task-9"] }, "NOT_FOUND", "has no command task-9; it has task-0, task-1"],
  ])("that can not be had are refused: %j", async (options, code, message) => {
    const connected = await client([(await start(twoAttempts)).address]);
    await expect(collect(connected, options)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  it("of a job that waits say what it waits for", async () => {
    const waiting = job({ state: "queued", reason: "needs 4 nodes, 2 are free" });
    const { address } = await start(
      jobHandlers(
        () => waiting,
        () => undefined,
      ),
    );
    await expect(collect(await client([address]))).rejects.toThrow(
      "job 7 has no attempt that started; it is queued: needs 4 nodes, 2 are free",
    );
  });

  it("end with their signal", async () => {
    const { address } = await start(
      jobHandlers(running, (call) => void call.write({ offset: 0, data: Buffer.from("x"), end: false })),
    );
    const connected = await client([address]);
    const enough = new AbortController();
    const reading = (async () => {
      for await (const _ of connected.logs(7, { follow: true, signal: enough.signal }))
        enough.abort(new Error("enough"));
    })();
    await expect(reading).rejects.toThrow("enough");
  });

  it("can be left in the middle", async () => {
    let open = 0;
    const { address } = await start(
      jobHandlers(running, (call) => {
        open++;
        call.on("cancelled", () => open--);
        call.write({ offset: 0, data: Buffer.from("x"), end: false });
      }),
    );
    const connected = await client([address]);
    for await (const _ of connected.logs(7, { follow: true })) break;
    await expect.poll(() => open).toBe(0);
  });
});
