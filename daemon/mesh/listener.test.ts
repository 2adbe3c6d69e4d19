import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { connectivityState, Server, status } from "@grpc/grpc-js";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Credentials } from "../security/credentials-store.ts";
import { channelErrorOf, openChannel, openJoiningChannel } from "./channels.ts";
import {
  call,
  callOnce,
  captureHello,
  makeMesh,
  runDaemon,
  sendRaw,
  type RunningDaemon,
  type TestMesh,
} from "./listener.fixture.ts";
import { createListener, type ListenerLimits } from "./listener.ts";

let mesh: TestMesh;
let otherMesh: TestMesh;
let alpha: Credentials;
let beta: Credentials;
const daemons: RunningDaemon[] = [];

beforeAll(async () => {
  [mesh, otherMesh] = await Promise.all([makeMesh("mesh-1"), makeMesh("mesh-2")]);
  [alpha, beta] = await Promise.all([mesh.issue("daemon", "alpha"), mesh.issue("daemon", "beta")]);
});

afterEach(async () => {
  await Promise.all(daemons.splice(0).map((each) => each.stop()));
});

async function daemon(limits: Partial<ListenerLimits> = {}, identity = alpha): Promise<RunningDaemon> {
  const started = await runDaemon(identity, limits);
  daemons.push(started);
  return started;
}

/** The mutual call that proves, after each attack, that the daemon goes on serving its members. */
async function whoAmI(to: RunningDaemon, identity: Credentials): Promise<unknown> {
  const channel = openChannel({ address: to.address, peerName: "alpha", identity });
  return JSON.parse(await callOnce(channel, "whoAmI"));
}

/** Connects with node:tls and resolves with the error or "closed" that ends the connection. */
async function tlsEnd(to: RunningDaemon, options: ConnectionOptions): Promise<string> {
  const socket = connectTls({
    host: "127.0.0.1",
    port: to.port,
    servername: "alpha.daemon.gpumesh",
    ca: mesh.authority.certificatePem,
    ALPNProtocols: ["h2"],
    ...options,
  });
  let end = "closed";
  socket.on("error", (error) => {
    end = "code" in error ? String(error.code) : error.message;
  });
  socket.resume();
  await new Promise((resolve) => socket.once("close", resolve));
  return end;
}

describe("the mutual door", () => {
  it("serves a daemon and a client of its mesh, and knows each by its certificate", async () => {
    const to = await daemon();
    expect(await whoAmI(to, beta)).toEqual({ meshId: "mesh-1", role: "daemon", name: "beta" });
    expect(await whoAmI(to, await mesh.issue("client", "alice"))).toEqual({
      meshId: "mesh-1",
      role: "client",
      name: "alice",
    });
    expect(to.refusals).toEqual([]);
  });

  it("does not serve the joining service", async () => {
    const to = await daemon();
    const channel = openChannel({ address: to.address, peerName: null, identity: beta });
    await expect(callOnce(channel, "ask")).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
  });

  it("refuses a certificate of another mesh", async () => {
    const to = await daemon();
    const foreign = await otherMesh.issue("daemon", "beta");
    const identity = { ...foreign, authorityPem: alpha.authorityPem };
    const error = await whoAmI(to, identity).catch((caught: unknown) => channelErrorOf(caught, to.address));
    expect(error).toMatchObject({ code: "turned-away", message: expect.stringContaining(to.address) });
    expect(await to.refusal(1)).toMatch(
      /^127\.0\.0\.1:\d+: the certificate of daemon beta is not signed by this mesh's authority \(\w+\); join this mesh/,
    );
    expect(await whoAmI(to, beta)).toMatchObject({ name: "beta" });
  });

  it("refuses an expired and a not yet valid certificate, and names the dates", async () => {
    const to = await daemon();
    const expired = await mesh.issue("client", "alice", {
      days: 1,
      now: new Date(Date.now() - 2 * 86_400_000),
    });
    await expect(whoAmI(to, expired)).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(await to.refusal(1)).toMatch(
      /: the certificate of client alice expired at \d{4}-.*Z; check both clocks/,
    );

    const early = await daemon();
    const future = await mesh.issue("client", "alice", { days: 1, now: new Date(Date.now() + 86_400_000) });
    await expect(whoAmI(early, future)).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(await early.refusal(1)).toContain("the certificate of client alice is valid from ");
  });

  it("refuses a client without a certificate", async () => {
    const to = await daemon();
    await tlsEnd(to, {});
    expect(await to.refusal(1)).toContain("it shows no certificate; members show one of this mesh");
    expect(to.listener.refusedCount).toBe(1);
    expect(await whoAmI(to, beta)).toMatchObject({ name: "beta" });
  });

  it("speaks TLS 1.3 only, and HTTP/2 only", async () => {
    const to = await daemon();
    const member = { cert: beta.certificatePem, key: beta.privateKeyPem };
    expect(await tlsEnd(to, { ...member, maxVersion: "TLSv1.2" })).toBe(
      "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
    );
    expect(await to.refusal(1)).toContain("it offers no TLS 1.3");
    expect(await tlsEnd(to, { ...member, ALPNProtocols: ["http/1.1"] })).toBe(
      "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
    );
    expect(await to.refusal(2)).toContain("it does not speak HTTP/2");
    // An empty list offers no protocol at all, which TLS accepts and the listener does not.
    expect(await tlsEnd(to, { ...member, ALPNProtocols: [] })).toBe("closed");
    expect(await to.refusal(3)).toContain("it does not speak HTTP/2");
  });

  it("checks the certificate of every connection anew, and resumes no session", async () => {
    const to = await daemon();
    const options: ConnectionOptions = {
      host: "127.0.0.1",
      port: to.port,
      servername: "alpha.daemon.gpumesh",
      ca: alpha.authorityPem,
      cert: beta.certificatePem,
      key: beta.privateKeyPem,
      ALPNProtocols: ["h2"],
    };
    const first = connectTls(options).resume();
    const [session] = await once(first, "session");
    first.destroy();
    const second = connectTls({ ...options, session });
    await once(second, "secureConnect");
    expect(second.isSessionReused()).toBe(false);
    second.destroy();
  });

  it("reports a client that does not believe its certificate", async () => {
    const to = await daemon();
    await tlsEnd(to, { ca: otherMesh.authority.certificatePem });
    expect(await to.refusal(1)).toContain("it ended within its TLS handshake");
  });
});

describe("the joining door", () => {
  it("serves its own service to callers without a certificate, and nothing else", async () => {
    const to = await daemon();
    const open = () => openJoiningChannel(to.address, mesh.authority.certificatePem);
    expect(await callOnce(open(), "ask", "hello")).toBe("hello from null");
    await expect(callOnce(open(), "whoAmI")).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
    expect(to.refusals).toEqual([]);
  });

  it("holds a limited number of callers, each for a limited time", async () => {
    const to = await daemon({ joiningConnectionsMax: 1, joiningConnectionMsMax: 300 });
    const first = tlsEnd(to, { servername: "join.gpumesh", checkServerIdentity: () => undefined });
    const second = tlsEnd(to, { servername: "join.gpumesh", checkServerIdentity: () => undefined });
    expect(await to.refusal(1)).toContain("1 connections are joining already");
    await Promise.all([first, second]);
    const channel = openJoiningChannel(to.address, mesh.authority.certificatePem);
    expect(await callOnce(channel, "ask", "again")).toBe("again from null");
  });
});

describe("a stranger's bytes", () => {
  const http2Preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  const halfHello = Buffer.from("160301020001000", "hex");

  it.each([
    ["garbage", Buffer.from("\x00\xff hello"), "it does not speak TLS"],
    ["a plain HTTP/2 preface", http2Preface, "it does not speak TLS"],
    ["an HTTP/1 request", Buffer.from("GET / HTTP/1.1\r\n\r\n"), "it does not speak TLS"],
    ["half a hello", halfHello, "it sent no whole TLS hello within 100 ms"],
    ["an endless hello", endlessHello(), "its TLS hello is longer than 4096 bytes"],
  ])("%s is dropped, and members are still served", async (_name, bytes, reason) => {
    const to = await daemon({ helloTimeoutMs: 100, helloBytesMax: 4_096 });
    expect(await sendRaw(to.port, bytes)).toEqual(Buffer.alloc(0));
    expect(await to.refusal(1)).toContain(reason);
    expect(await whoAmI(to, beta)).toMatchObject({ name: "beta" });
    expect(to.listener.refusedCount).toBe(1);
  });

  it("is cut when the handshake stops half-way", async () => {
    const to = await daemon({ handshakeTimeoutMs: 100 });
    // A whole ClientHello, and then silence where the client's Finished should come.
    await sendRaw(to.port, await captureHello({ servername: "alpha.daemon.gpumesh", ALPNProtocols: ["h2"] }));
    expect(await to.refusal(1)).toContain("it did not end its TLS handshake within 100 ms");
  });

  it("waits in a limited number of handshakes", async () => {
    const to = await daemon({ handshakesMax: 1 });
    const idle = connectTcp(to.port, "127.0.0.1");
    await once(idle, "connect");
    expect(await sendRaw(to.port, halfHello)).toEqual(Buffer.alloc(0));
    expect(await to.refusal(1)).toContain("1 other connections are still in their handshake");
    idle.destroy();
    await once(idle, "close");
    await expect.poll(() => whoAmI(to, beta).catch(() => null)).toMatchObject({ name: "beta" });
  });

  it("is not even reported when there is none", async () => {
    const to = await daemon();
    const probe = connectTcp(to.port, "127.0.0.1");
    await once(probe, "connect");
    probe.end();
    probe.resume();
    await once(probe, "close");
    expect(await whoAmI(to, beta)).toMatchObject({ name: "beta" });
    expect(to.refusals).toEqual([]);
  });
});

describe("start, renew and stop", () => {
  it("reports a port that is taken", async () => {
    const to = await daemon();
    const second = createListener({
      host: "127.0.0.1",
      port: to.port,
      identity: alpha,
      mutual: new Server(),
      joining: new Server(),
      onRefused: () => undefined,
    });
    await expect(second.start()).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  it("shows renewed credentials to new connections", async () => {
    const to = await daemon();
    to.listener.renew(await mesh.issue("daemon", "gamma"));
    const channel = openChannel({ address: to.address, peerName: "gamma", identity: beta });
    expect(JSON.parse(await callOnce(channel, "whoAmI"))).toMatchObject({ name: "beta" });
    const error = await whoAmI(to, beta).catch((caught: unknown) => channelErrorOf(caught, to.address));
    expect(error).toMatchObject({ code: "other-name" });
  });

  it("lets a call in progress end when it stops", async () => {
    const to = await daemon({ drainMs: 5_000 });
    const channel = openChannel({ address: to.address, peerName: "alpha", identity: beta });
    await call(channel, "whoAmI");
    const slow = call(channel, "whoAmI", "100");
    // The channel is connected, so the daemon has the slow call before it has the call that follows it.
    await call(channel, "whoAmI");
    const [answer] = await Promise.all([slow, to.listener.stop()]);
    expect(JSON.parse(answer)).toMatchObject({ name: "beta" });
    channel.close();
  });

  it("stops with open connections within its drain time, and refuses new ones", async () => {
    const to = await daemon({ drainMs: 50 });
    const idle = connectTcp(to.port, "127.0.0.1");
    idle.on("error", () => undefined);
    const channel = openChannel({ address: to.address, peerName: null, identity: beta });
    channel.getConnectivityState(true);
    await expect.poll(() => channel.getConnectivityState(false)).toBe(connectivityState.READY);
    await to.listener.stop();
    const error = await whoAmI(to, beta).catch((caught: unknown) => channelErrorOf(caught, to.address));
    expect(error).toMatchObject({ code: "refused", retryable: true });
    channel.close();
    idle.destroy();
  });
});

/** Handshake records of one byte each: a hello that promises 8 KiB and never gets there within the limit. */
function endlessHello(): Buffer {
  const message = Buffer.alloc(8_192);
  message.set([1, 0, 0x1f, 0xfc]);
  const records = [...message.subarray(0, 1_000)].map((byte) => Buffer.from([22, 3, 1, 0, 1, byte]));
  return Buffer.concat(records);
}
