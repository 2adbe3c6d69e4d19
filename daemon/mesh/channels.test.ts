import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { createAuthority } from "../security/ca.ts";
import type { Credentials } from "../security/credentials-store.ts";
import {
  ChannelError,
  channelErrorOf,
  fetchAuthority,
  messageBytesMax,
  openChannel,
  openJoiningChannel,
  watchConnecting,
} from "./channels.ts";
import {
  call,
  callOnce,
  makeMesh,
  runDaemon,
  type RunningDaemon,
  type TestMesh,
} from "./listener.fixture.ts";

let mesh: TestMesh;
let alpha: Credentials;
let beta: Credentials;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  mesh = await makeMesh("mesh-1");
  [alpha, beta] = await Promise.all([mesh.issue("daemon", "alpha"), mesh.issue("daemon", "beta")]);
});

afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

async function daemon(identity: Credentials): Promise<RunningDaemon> {
  const started = await runDaemon(identity);
  stops.push(() => started.stop());
  return started;
}

/** Runs a server that is no daemon of ours, and resolves with its address. */
async function stranger(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return `127.0.0.1:${address.port}`;
}

async function failureOf(address: string, peerName: string | null, timeoutMs = 5_000): Promise<ChannelError> {
  const channel = openChannel({ address, peerName, identity: beta });
  const error: unknown = await callOnce(channel, "whoAmI", "", timeoutMs).catch((caught: unknown) => caught);
  if (!(error instanceof Error)) throw new Error(`the call to ${address} succeeded`);
  return channelErrorOf(error, address);
}

describe("openChannel", () => {
  it("accepts any daemon, or the one that it was asked for", async () => {
    const to = await daemon(alpha);
    for (const peerName of ["alpha", null]) {
      const channel = openChannel({ address: to.address, peerName, identity: beta });
      expect(JSON.parse(await callOnce(channel, "whoAmI"))).toMatchObject({ name: "beta" });
    }
  });

  it("refuses another daemon than the one that it was asked for", async () => {
    const to = await daemon(alpha);
    const error = await failureOf(to.address, "gamma");
    expect(error.code).toBe("other-name");
    expect(error.message).toContain(`the daemon at ${to.address} is not the one that was asked for`);
  });

  it("refuses a daemon of another mesh, and an expired one", async () => {
    const foreign = await daemon(await (await makeMesh("mesh-2")).issue("daemon", "alpha"));
    expect(await failureOf(foreign.address, "alpha")).toMatchObject({ code: "other-mesh", retryable: false });
    const validity = { days: 1, now: new Date(Date.now() - 2 * 86_400_000) };
    const expired = await daemon(await mesh.issue("daemon", "alpha", validity));
    expect(await failureOf(expired.address, "alpha")).toMatchObject({ code: "expired" });
  });

  it("refuses a client of its own mesh that poses as a daemon", async () => {
    const alice = await mesh.issue("client", "alice");
    const server = createTlsServer({
      cert: alice.certificatePem,
      key: alice.privateKeyPem,
      ALPNProtocols: ["h2"],
    });
    const address = await stranger(server);
    expect((await failureOf(address, null)).code).toBe("other-mesh");
  });

  it("says in one line why nothing answers", async () => {
    const closed = await daemon(alpha);
    await closed.listener.stop();
    expect(await failureOf(closed.address, null)).toMatchObject({
      code: "refused",
      retryable: true,
      message: `nothing listens at ${closed.address}; check that the daemon there runs and that the port is right`,
    });
    const plain = await stranger(createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")));
    expect((await failureOf(plain, null)).code).toBe("not-tls");
    const cutting = await stranger(createServer((socket) => socket.destroy()));
    expect((await failureOf(cutting, null)).code).toBe("turned-away");
    const silent = await stranger(createServer());
    expect((await failureOf(silent, null, 200)).code).toBe("timeout");
    expect((await failureOf("no-such-host.invalid:7480", null)).code).toBe("unknown-host");
    for (const address of [closed.address, plain, cutting]) {
      expect((await failureOf(address, null)).message).not.toContain("\n");
    }
  });

  it("refuses an address that is none", () => {
    for (const address of ["gpu-01", "gpu-01:0", "gpu-01:70000", "::1:7480", "unix:/run/x:1", ""]) {
      expect(() => openChannel({ address, peerName: null, identity: beta })).toThrow(ChannelError);
    }
  });

  it("carries no message beyond the limit, in either direction", async () => {
    const to = await daemon(alpha);
    const open = () => openJoiningChannel(to.address, mesh.authority.certificatePem);
    // The test service answers with a few bytes more than it was sent.
    const longest = "x".repeat(messageBytesMax - 64);
    expect(await callOnce(open(), "ask", longest)).toHaveLength(messageBytesMax - 64 + " from null".length);
    await expect(callOnce(open(), "ask", "x".repeat(messageBytesMax + 1))).rejects.toThrow(
      /RESOURCE_EXHAUSTED: Attempted to send message/,
    );
    await expect(callOnce(open(), "ask", "x".repeat(messageBytesMax))).rejects.toThrow(/RESOURCE_EXHAUSTED/);
  });

  it("connects again within a second after its daemon comes back", async () => {
    const first = await runDaemon(alpha);
    const channel = openChannel({ address: first.address, peerName: "alpha", identity: beta });
    stops.push(async () => channel.close());
    expect(await call(channel, "whoAmI")).toContain("beta");
    await first.stop();
    const second = await runDaemon(alpha, {}, first.port);
    stops.push(() => second.stop());
    const backAt = performance.now();
    await expect.poll(() => call(channel, "whoAmI").catch(() => ""), { interval: 20 }).toContain("beta");
    expect(performance.now() - backAt).toBeLessThan(1_500);
  });
});

describe("watchConnecting", () => {
  it("reports a channel whose peer takes the connection and then keeps silent", async () => {
    const channel = openChannel({ address: await stranger(createServer()), peerName: null, identity: beta });
    const stuck = new Promise<void>((resolve) => watchConnecting(channel, 50, resolve));
    channel.getConnectivityState(true);
    await stuck;
    channel.close();
  });

  it("reports it also after a failed attempt, and nothing once it is stopped", async () => {
    let attempts = 0;
    const cutsOnce = createServer((socket) => {
      attempts += 1;
      if (attempts === 1) socket.destroy();
    });
    const channel = openChannel({ address: await stranger(cutsOnce), peerName: null, identity: beta });
    let reports = 0;
    const watch = watchConnecting(channel, 20, () => (reports += 1));
    channel.getConnectivityState(true);
    await expect.poll(() => [attempts, reports > 0], { timeout: 5_000 }).toEqual([2, true]);
    watch.stop();
    const before = reports;
    await expect(failureOf(await stranger(createServer()), null, 100)).resolves.toMatchObject({
      code: "timeout",
    });
    expect(reports).toBe(before);
    channel.close();
  });

  it("leaves a channel alone that is ready", async () => {
    const to = await daemon(alpha);
    const channel = openChannel({ address: to.address, peerName: "alpha", identity: beta });
    let reports = 0;
    watchConnecting(channel, 500, () => (reports += 1));
    await call(channel, "whoAmI");
    await call(channel, "whoAmI", "600");
    expect(reports).toBe(0);
    channel.close();
  });
});

describe("fetchAuthority", () => {
  it("gives the authority's certificate where its digest is the token's", async () => {
    const to = await daemon(alpha);
    const pem = await fetchAuthority(to.address, mesh.authority.spkiDigest);
    expect(pem).toBe(mesh.authority.certificatePem);
    const channel = openJoiningChannel(to.address, pem);
    expect(await callOnce(channel, "ask", "may I")).toBe("may I from null");
    // The answer proves that the daemon has dealt with both connections.
    expect(to.refusals).toEqual([]);
  });

  it("refuses an authority with another digest", async () => {
    const to = await daemon(alpha);
    const other = await createAuthority("mesh-1");
    await expect(fetchAuthority(to.address, other.spkiDigest)).rejects.toMatchObject({
      code: "other-mesh",
      message: expect.stringContaining(`the daemon at ${to.address} answers with another mesh's certificate`),
    });
  });

  it("refuses a stranger who shows the genuine authority above a certificate that it did not sign", async () => {
    const forged = await (await makeMesh("mesh-1")).issue("daemon", "alpha");
    const chain = forged.certificatePem + mesh.authority.certificatePem;
    const server = createTlsServer({ cert: chain, key: forged.privateKeyPem, ALPNProtocols: ["h2"] });
    const address = await stranger(server);
    await expect(fetchAuthority(address, mesh.authority.spkiDigest)).rejects.toMatchObject({
      code: "other-mesh",
    });
  });

  it("refuses a client of the mesh that poses as a daemon, and a chain without the authority", async () => {
    const alice = await mesh.issue("client", "alice");
    const chain = alice.certificatePem + mesh.authority.certificatePem;
    const client = await stranger(
      createTlsServer({ cert: chain, key: alice.privateKeyPem, ALPNProtocols: ["h2"] }),
    );
    await expect(fetchAuthority(client, mesh.authority.spkiDigest)).rejects.toMatchObject({
      code: "other-mesh",
    });
    const { certificatePem: cert, privateKeyPem: key } = alpha;
    const bare = await stranger(createTlsServer({ cert, key, ALPNProtocols: ["h2"] }));
    await expect(fetchAuthority(bare, mesh.authority.spkiDigest)).rejects.toMatchObject({
      code: "other-mesh",
    });
  });

  it("refuses an expired daemon", async () => {
    const validity = { days: 1, now: new Date(Date.now() - 2 * 86_400_000) };
    const to = await daemon(await mesh.issue("daemon", "alpha", validity));
    await expect(fetchAuthority(to.address, mesh.authority.spkiDigest)).rejects.toMatchObject({
      code: "expired",
    });
  });

  it("says why nothing answers", async () => {
    const digest = mesh.authority.spkiDigest;
    const silent = await stranger(createServer());
    await expect(fetchAuthority(silent, digest, 100)).rejects.toMatchObject({
      code: "timeout",
      retryable: true,
    });
    const plain = await stranger(createServer((socket) => socket.end("no TLS here")));
    await expect(fetchAuthority(plain, digest)).rejects.toMatchObject({ code: "not-tls" });
    const cutting = await stranger(createServer((socket) => socket.destroy()));
    await expect(fetchAuthority(cutting, digest)).rejects.toMatchObject({ code: "turned-away" });
    await expect(fetchAuthority("nowhere", digest)).rejects.toMatchObject({ code: "bad-address" });
  });
});
