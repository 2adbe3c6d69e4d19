import { randomBytes } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  ApiError,
  connectMesh,
  MeshUnreachable,
  readContext,
  type ClientContext,
} from "../../cli/client/client.ts";
import { framed, RawCaller } from "./raw-caller.ts";
import { TestDaemon } from "./test-daemon.ts";
import { TestMesh } from "./test-mesh.ts";

const jobFileBytesMax = 1024 * 1024;

describe("strangers and nonsense", () => {
  let mesh: TestMesh;
  let pids: readonly number[] = [];
  beforeAll(async () => {
    mesh = await TestMesh.start({ daemons: 1 });
    pids = mesh.daemons.map(({ pid }) => pid);
  });
  afterAll(async () => {
    // Nothing of all this has ended a daemon.
    expect(mesh.daemons.map(({ pid }) => pid)).toEqual(pids);
    await expect(mesh.client.status()).resolves.toMatchObject({ leader: "n1" });
    await mesh.stop();
  });

  describe("a join is refused in one line", () => {
    it("with a token whose secret is wrong", async () => {
      const parts = mesh.token.split("/");
      const secret = parts.at(-1) ?? "";
      const other = `${secret.startsWith("A") ? "B" : "A"}${secret.slice(1)}`;
      await expectNoJoin([...parts.slice(0, -1), other].join("/"), /token/);
    });

    it("with a token that has expired", async () => {
      const { token, expiresAtMs } = await mesh.client.createJoinToken({ validMs: 1 });
      await mesh.until(() => Date.now() > expiresAtMs, "the token's end");
      await expectNoJoin(token, /expired/);
    });

    it("with a token of another mesh", async () => {
      const parts = mesh.token.split("/");
      const at = parts.findIndex((part) => /[0-9a-f]{64}|^[A-Za-z0-9_-]{43}$/.test(part));
      const digest = parts[at] ?? "";
      const other = digest.replace(/.$/, digest.endsWith("A") || digest.endsWith("0") ? "1" : "0");
      await expectNoJoin(parts.with(at, other).join("/"), /mesh|digest|token/);
    });

    it("under a name that is taken", async () => {
      await expectNoJoin(mesh.token, /n1/, "n1");
    });

    it("without a token", async () => {
      await expectNoJoin("gpumesh1/nonsense", /token/);
    });
  });

  describe("a client of another mesh is refused in one line", () => {
    it("when it believes its own authority", async () => {
      await expectUnreachable(await contextOfAnotherMesh(), /another mesh/);
    });

    it("when it believes ours, but shows its own certificate", async () => {
      const { ca } = await readContext(mesh.contextDir);
      // TLS 1.3 lets a client finish its handshake before the daemon looks at its certificate, so only the daemon can say
      // why the connection ends.
      await expectUnreachable({ ...(await contextOfAnotherMesh()), ca }, /./);
      expect(mesh.logs()).toMatch(
        /refused a connection from \S+: the certificate of client admin is not signed by this mesh's authority [^\n]*; join this mesh with a token\n/,
      );
    });
  });

  describe("a caller without certificate", () => {
    it("is cut off when it speaks no TLS", async () => {
      const [host = "", port = ""] = (mesh.daemons[0]?.address ?? "").split(":");
      const socket = connect({ host, port: Number(port) });
      socket.on("error", () => undefined).resume();
      socket.write(randomBytes(4_096));
      await new Promise((done) => socket.once("close", done));
    });
  });

  describe("a member's nonsense gets a status or a closed connection", () => {
    it.each([
      ["no HTTP/2 at all", Buffer.from("GET / HTTP/1.1\r\nhost: daemon\r\n\r\n")],
      ["an HTTP/2 preface and then noise", preface(randomBytes(512))],
      ["a frame that says it has 16 MiB", preface(Buffer.from("ffffff000000000000", "hex"))],
    ])("%s", async (_, bytes) => {
      await caller().sendGarbage(bytes);
    });

    it.each([
      [
        "a message that is no protobuf",
        "Api/GetJob",
        framed(Buffer.from("ffffffffffffffff", "hex")),
        [status.INTERNAL],
      ],
      ["a length without its message", "Api/GetJob", framed(Buffer.alloc(0), 64), [status.UNIMPLEMENTED]],
      [
        "a length above the limit",
        "Api/SubmitJob",
        framed(Buffer.alloc(8), 1 << 30),
        [status.RESOURCE_EXHAUSTED],
      ],
      ["a method that does not exist", "Api/DropAll", framed(Buffer.alloc(0)), [status.UNIMPLEMENTED]],
      // ReadLog of job 1, command "a", stream 99.
      [
        "an enum value that nobody knows",
        "Api/ReadLog",
        framed(Buffer.from("08011a01612063", "hex")),
        [status.INVALID_ARGUMENT, status.NOT_FOUND],
      ],
      ["a daemon's call by a client", "Peer/Session", framed(Buffer.alloc(0)), [status.PERMISSION_DENIED]],
      ["raft by a client", "Raft/Messages", framed(Buffer.alloc(0)), [status.PERMISSION_DENIED]],
      [
        "a job that has a number below all",
        "Api/GetJob",
        framed(Buffer.from("08ffffffffffffffffff01", "hex")),
        [status.NOT_FOUND, status.INVALID_ARGUMENT],
      ],
    ])("%s", async (_, method, body, codes) => {
      const answer = await caller().call(method, body);
      if (answer.kind === "status") expect(codes).toContain(answer.code);
    });

    it("a job file above the limit is refused by name, a message above its own by status", async () => {
      const large = await mesh.client.submit(`# ${"x".repeat(jobFileBytesMax)}\n`);
      expect(large).toMatchObject({ kind: "faults" });
      expect(JSON.stringify(large)).toMatch(/1 MiB|1,?048,?576/);
      const larger = mesh.client.submit("x".repeat(5 * jobFileBytesMax));
      await expect(larger).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    });

    it("a request id that is none", async () => {
      const submit = mesh.client.submit("{}", { requestId: "no spaces" });
      await expect(submit).rejects.toThrow(ApiError);
    });
  });

  function caller(): RawCaller {
    return new RawCaller(mesh.daemons[0]?.address ?? "", mesh.contextDir);
  }

  /** The program exits with 1, says why in one line, and leaves no configuration behind. */
  async function expectNoJoin(token: string, why: RegExp, name = "stranger"): Promise<void> {
    const folder = join(mesh.dir, "stranger");
    const stranger = new TestDaemon({ name, address: "127.0.0.9:1", folder, wrap: [], environment: {} });
    const place = ["--no-start", "--data", folder, "--name", name, "--advertise", stranger.address];
    const { code, output } = await stranger.attempt(
      "join",
      token,
      ...place,
      "--context-dir",
      join(folder, "context"),
    );
    expect(output).toMatch(/^gpumeshd: [^\n]+\n$/);
    expect(output).toMatch(why);
    expect(code).toBe(1);
    expect(() => readFileSync(join(folder, "daemon.json"))).toThrow("ENOENT");
    rmSync(folder, { recursive: true, force: true });
    expect((await mesh.client.nodes()).map((node) => node.name)).toEqual(["n1"]);
  }

  /** A mesh of its own making that knows our addresses. */
  async function contextOfAnotherMesh(): Promise<ClientContext> {
    const folder = join(mesh.dir, "other");
    const contextDir = join(folder, "context");
    const other = new TestDaemon({ name: "n1", address: "127.0.0.9:1", folder, wrap: [], environment: {} });
    const place = ["--no-start", "--data", folder, "--name", "n1", "--advertise", other.address];
    await other.run("init", ...place, "--context-dir", contextDir);
    const context = await readContext(contextDir);
    rmSync(folder, { recursive: true });
    return { ...context, addresses: mesh.daemons.map(({ address }) => address) };
  }

  async function expectUnreachable(context: ClientContext, why: RegExp): Promise<void> {
    const stranger = await connectMesh({ context, retryForMs: 3_000 });
    try {
      const refusal: unknown = await stranger.status().catch((error: unknown) => error);
      if (!(refusal instanceof MeshUnreachable)) throw new Error(`it got through: ${String(refusal)}`);
      for (const { error, answered } of refusal.tried) {
        expect(error).toMatch(why);
        expect(error).not.toContain("\n");
        expect(answered).toBe(false);
      }
    } finally {
      stranger.close();
    }
  }
});

describe("a mesh without a majority", () => {
  it("answers that it has no leader, keeps its jobs, and goes on when it is whole again", async () => {
    const mesh = await TestMesh.start({ daemons: 3, slots: 1 });
    try {
      const leader = await mesh.leader();
      const others = mesh.daemons.filter((daemon) => daemon !== leader);
      await Promise.all(others.map((daemon) => daemon.kill()));
      const client = await connectMesh({ context: mesh.contextDir, retryForMs: 4_000 });
      // What was confirmed just before the loss may still be answered.
      await mesh.until(async () => {
        const refusal: unknown = await client.status().catch((error: unknown) => error);
        if (!(refusal instanceof MeshUnreachable)) return false;
        expect(refusal.message).toMatch(/answers, but no daemon could carry out the call for \d+\.\d s:/);
        expect(refusal.tried.find(({ address }) => address === leader.address)?.answered).toBe(true);
        return true;
      }, "a refusal");
      client.close();
      for (const daemon of others) await daemon.start();
      await mesh.untilWhole();
      const id = await mesh.submit({ name: "after", customToolkitSettings: { commandLine: "true" } });
      await mesh.succeeded(id);
    } finally {
      await mesh.stop();
    }
  });
});

function preface(frames: Buffer): Buffer {
  return Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frames]);
}
