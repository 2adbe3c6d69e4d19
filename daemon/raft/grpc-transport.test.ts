import * as grpc from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RaftMessage } from "../../proto/gen/gpumesh/v1/RaftMessage.ts";
import { loadMesh } from "../../proto/load.ts";
import { message } from "./core/core.ts";
import type { Message } from "./core/core.ts";
import type { StateRecord } from "./raft-log.ts";
import { GrpcTransport } from "./grpc-transport.ts";
import { openTestChannel, serveRaft } from "./grpc.fixture.ts";
import { helloToWire } from "./hello-wire.ts";
import { introduce, TestStore } from "./identity.fixture.ts";
import type { TestIntroduction } from "./identity.fixture.ts";
import { toWire } from "./wire.ts";

const { Raft } = loadMesh();

interface Receiver {
  readonly received: Message[];
  readonly log: string[];
  readonly members: Set<number>;
  readonly port: number;
  stop(): void;
}

let closers: (() => void)[] = [];
let receiver: Receiver;
let transport: GrpcTransport;
let sender: TestIntroduction;
/** Of member 2, wherever it listens. */
let receiverStore: TestStore;
/** What the receiver saw of snapshots, in order. */
let snapshots: string[] = [];
let unreachable: number[];

beforeEach(async () => {
  receiverStore = new TestStore();
  receiver = await listen(0);
  unreachable = [];
  sender = await introduce(1);
  transport = makeTransport(1);
});

afterEach(async () => {
  await transport.stop();
  for (const close of closers) close();
  closers = [];
  snapshots = [];
});

async function listen(port: number): Promise<Receiver> {
  const received: Message[] = [];
  const members = new Set([1, 2]);
  const { gate, lines: log } = await introduce(2, receiverStore);
  const { port: bound, server } = await serveRaft(port, {
    isMember: (member) => members.has(member),
    gate: () => gate,
    receive: (message) => void received.push(message),
    receiveSnapshot: async ({ message, chunks }) => {
      snapshots.push(JSON.stringify(message.snapshot?.metadata));
      for await (const chunk of chunks) {
        snapshots.push(chunk.map(({ key, value }) => `${key}=${Buffer.from(value).toString()}`).join());
        if (snapshots.at(-1) === "bad=chunk") throw new Error("this chunk is not liked");
        if (snapshots.at(-1) === "silence=chunk") await new Promise<void>((resolve) => closers.push(resolve));
      }
      snapshots.push("end");
    },
  });
  closers.push(() => server.forceShutdown());
  return { received, log, members, port: bound, stop: () => server.forceShutdown() };
}

function makeTransport(caller: number, snapshotReceiptMsMax = 30_000): GrpcTransport {
  const made = new GrpcTransport({
    openChannel: (peer) => openTestChannel(peer, caller),
    snapshotReceiptMsMax,
    limits: { redialMsMin: 5, redialMsMax: 50, dialTimeoutMs: 500, refusedRedialMs: 50 },
  });
  made.introduce(sender);
  made.onUnreachable((member) => void unreachable.push(member));
  made.setPeers(new Map([[2, { name: "two", address: `127.0.0.1:${receiver.port}` }]]));
  return made;
}

const heartbeat = (commit: number): Message =>
  message({ type: "MsgHeartbeat", to: 2, from: 1, term: 1, commit });

/** A stream of its own, for messages that no honest transport sends. */
function rawStream(caller: number): {
  readonly send: (message: RaftMessage) => void;
  readonly ended: Promise<grpc.StatusObject>;
} {
  const address = `127.0.0.1:${receiver.port}`;
  const channel = openTestChannel({ name: "two", address }, caller);
  closers.push(() => channel.close());
  const client = new Raft(address, grpc.credentials.createInsecure(), { channelOverride: channel });
  const stream = client.messages();
  stream.write({ hello: helloToWire({ ...sender.gate.hello(), member: caller }) });
  const accepted = new Promise<void>((resolve) => void stream.on("data", () => resolve()));
  stream.on("error", () => {});
  const ended = new Promise<grpc.StatusObject>((resolve) => void stream.on("status", resolve));
  return { send: (sent) => void accepted.then(() => stream.write({ messages: [sent] })), ended };
}

describe("GrpcTransport", () => {
  it("delivers messages in order", async () => {
    const sent = Array.from({ length: 3000 }, (_, commit) => heartbeat(commit));
    transport.send(sent.slice(0, 1000));
    transport.send(sent.slice(1000));
    await vi.waitFor(() => expect(receiver.received).toHaveLength(3000));
    expect(receiver.received).toEqual(sent);
  });

  it("keeps a commit index for the next message, and sends it by itself when there is none", async () => {
    const append = (commit: number): Message =>
      message({ type: "MsgApp", to: 2, from: 1, term: 1, index: 7, logTerm: 1, commit });
    transport.send([append(5)]);
    transport.send([heartbeat(6)]);
    await vi.waitFor(() => expect(receiver.received).toEqual([append(5), heartbeat(6)]));
    transport.send([append(7)]);
    await vi.waitFor(() => expect(receiver.received.at(-1)).toEqual(append(7)));
    expect(unreachable).toEqual([]);
  });

  it("carries entries of a mebibyte", async () => {
    const data = new Uint8Array(1024 * 1024).fill(7);
    const entries = [{ term: 1, index: 1, type: "EntryNormal", data }] as const;
    const sent = Array.from({ length: 8 }, () =>
      message({ type: "MsgApp", to: 2, from: 1, term: 1, entries }),
    );
    transport.send(sent);
    await vi.waitFor(() => expect(receiver.received).toHaveLength(8));
    expect(receiver.received).toEqual(sent);
  });

  it("dials again, and brings nothing from the time between", async () => {
    transport.send([heartbeat(1)]);
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1));
    receiver.stop();
    await vi.waitFor(() => expect(unreachable).toContain(2));
    // Some of these fall into the waits between dials, and some into dials that fail.
    for (let commit = 1000; commit < 1100; commit++) {
      transport.send([heartbeat(commit)]);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const lost = unreachable.length;
    await vi.waitFor(() => expect(unreachable.length).toBeGreaterThan(lost));
    const again = await listen(receiver.port);
    let commit = 5000;
    await vi.waitFor(() => {
      transport.send([heartbeat(commit++)]);
      expect(again.received.length).toBeGreaterThan(0);
    });
    expect(again.received.every((received) => received.commit >= 5000)).toBe(true);
  });

  it("reports a peer that is not there, each time it loses something", async () => {
    receiver.stop();
    await vi.waitFor(() => expect(unreachable.length).toBeGreaterThan(0));
    const before = unreachable.length;
    await vi.waitFor(() => {
      transport.send([heartbeat(1)]);
      expect(unreachable.length).toBeGreaterThan(before + 3);
    });
  });

  it("follows a peer to its new address, and forgets one that left", async () => {
    const elsewhere = await listen(0);
    transport.setPeers(new Map([[2, { name: "two", address: `127.0.0.1:${elsewhere.port}` }]]));
    transport.send([heartbeat(1)]);
    await vi.waitFor(() => expect(elsewhere.received).toHaveLength(1));
    transport.setPeers(new Map());
    transport.send([heartbeat(2)]);
    transport.setPeers(new Map([[2, { name: "two", address: `127.0.0.1:${elsewhere.port}` }]]));
    transport.send([heartbeat(3)]);
    await vi.waitFor(() => expect(elsewhere.received).toHaveLength(2));
    expect(elsewhere.received.map((received) => received.commit)).toEqual([1, 3]);
    expect(receiver.received).toEqual([]);
  });
});

describe("raftService", () => {
  it("ends the stream of one who sends in another's name", async () => {
    const stream = rawStream(1);
    stream.send(toWire(heartbeat(1)));
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1));
    stream.send(toWire({ ...heartbeat(2), from: 3 }));
    stream.send(toWire(heartbeat(3)));
    expect(await stream.ended).toMatchObject({ code: grpc.status.PERMISSION_DENIED });
    expect(receiver.received).toHaveLength(1);
    expect(receiver.log).toEqual(["refused the raft stream of member 1: a message names 3 as its sender"]);
  });

  it.each([
    ["no member", 9],
    ["nobody", 0],
  ])("refuses a caller who is %s", async (_name, caller) => {
    const stream = rawStream(caller);
    stream.send(toWire({ ...heartbeat(1), from: caller }));
    expect(await stream.ended).toMatchObject({ code: grpc.status.PERMISSION_DENIED });
    expect(receiver.received).toEqual([]);
    expect(receiver.log).toHaveLength(1);
  });

  it("ends the stream of a member that was removed", async () => {
    const stream = rawStream(1);
    stream.send(toWire(heartbeat(1)));
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1));
    receiver.members.delete(1);
    stream.send(toWire(heartbeat(2)));
    expect(await stream.ended).toMatchObject({ code: grpc.status.PERMISSION_DENIED });
    expect(receiver.received).toHaveLength(1);
  });

  it.each<[string, RaftMessage]>([
    ["an unknown type", { ...toWire(heartbeat(1)), type: "MsgFuture" }],
    ["a local type", { ...toWire(heartbeat(1)), type: "MsgStorageAppend" }],
    ["a negative number", { ...toWire(heartbeat(1)), term: -4 }],
  ])("ends a stream with %s and goes on serving", async (_name, wire) => {
    const stream = rawStream(1);
    stream.send(wire);
    expect(await stream.ended).toMatchObject({ code: grpc.status.INVALID_ARGUMENT });
    transport.send([heartbeat(7)]);
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1));
    expect(receiver.log).toHaveLength(1);
  });
});

describe("a snapshot over gRPC", () => {
  const point = {
    index: 9,
    term: 2,
    confState: { voters: [1, 2], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false },
  };
  const asked: string[] = [];

  async function* chunks(texts: readonly string[]): AsyncGenerator<readonly StateRecord[]> {
    asked.length = 0;
    for (const text of texts) {
      asked.push(text);
      yield [{ key: text, value: Buffer.from("chunk") }];
    }
  }

  function send(texts: readonly string[], from = 1): Promise<void> {
    const snapshot = { data: new Uint8Array(), metadata: point };
    return transport.sendSnapshot({
      message: message({ type: "MsgSnap", to: 2, from, term: 2, snapshot }),
      totals: { count: texts.length, sum: 0 },
      chunks: chunks(texts),
    });
  }

  it("arrives whole and in order", async () => {
    await send(["a", "b", "c"]);
    expect(snapshots).toEqual([JSON.stringify(point), "a=chunk", "b=chunk", "c=chunk", "end"]);
  });

  it("fails with the receiver's reason, and asks for no further chunk", async () => {
    await expect(send(["a", "bad", "c", "d"])).rejects.toThrow(/this chunk is not liked/);
    expect(asked).toEqual(["a", "bad"]);
  });

  it("is given up when the receiver does not answer", async () => {
    await transport.stop();
    transport = makeTransport(1, 200);
    await expect(send(["silence", "b"])).rejects.toThrow(/did not answer for 200 ms/);
    // A machine under load may not even have come to ask for the chunk.
    expect(asked.slice(1)).toEqual([]);
  });

  it("is refused in another's name, and from who is no member", async () => {
    await expect(send(["a"], 2)).rejects.toThrow(/names 2 as its sender/);
    receiver.members.delete(1);
    await expect(send(["a"])).rejects.toThrow(/not a member/);
    expect(snapshots).toEqual([]);
    expect(receiver.log.join()).toContain("refused a snapshot of member 1");
  });

  it("ends with the transport", async () => {
    const sent = expect(send(["silence", "b"])).rejects.toThrow();
    await vi.waitFor(() => expect(snapshots).toContain("silence=chunk"));
    await transport.stop();
    await sent;
  });

  it("is not taken among messages", async () => {
    const snapshot = { data: new Uint8Array(), metadata: point };
    transport.send([message({ type: "MsgSnap", to: 2, from: 1, term: 2, snapshot })]);
    await vi.waitFor(() => expect(receiver.log.join()).toContain("MsgSnap came on the wrong stream"));
    expect(receiver.received).toEqual([]);
  });
});
