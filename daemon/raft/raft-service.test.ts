import * as grpc from "@grpc/grpc-js";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RaftBatch } from "../../proto/gen/gpumesh/v1/RaftBatch.ts";
import type { SnapshotPart } from "../../proto/gen/gpumesh/v1/SnapshotPart.ts";
import { loadMesh } from "../../proto/load.ts";
import { message } from "./core/core.ts";
import type { Message } from "./core/core.ts";
import { GrpcTransport } from "./grpc-transport.ts";
import { openTestChannel, serveRaft } from "./grpc.fixture.ts";
import { helloToWire } from "./hello-wire.ts";
import { introduce, TestStore } from "./identity.fixture.ts";
import type { TestIntroduction } from "./identity.fixture.ts";
import type { PeerHello } from "./peer-identity.ts";
import { refusalOf } from "./refused-stream.ts";
import { toWire } from "./wire.ts";

const { Raft } = loadMesh();

/** Member 2 serves; member 1 calls. */
let server: {
  readonly introduction: TestIntroduction;
  readonly received: Message[];
  readonly address: string;
};
let caller: TestIntroduction;
let callersStore: TestStore;
let closers: (() => Promise<void> | void)[] = [];

beforeEach(async () => {
  const introduction = await introduce(2, new TestStore(), { leads: true });
  const received: Message[] = [];
  const { port, server: bound } = await serveRaft(0, {
    isMember: (member) => member <= 2,
    gate: () => introduction.gate,
    receive: (one) => void received.push(one),
    receiveSnapshot: async ({ chunks }) => {
      for await (const chunk of chunks) if (chunk.length > 4096) throw new Error("too many");
    },
  });
  closers.push(() => bound.forceShutdown());
  server = { introduction, received, address: `127.0.0.1:${port}` };
  callersStore = new TestStore();
  caller = await introduce(1, callersStore);
});

afterEach(async () => {
  for (const close of closers.toReversed()) await close();
  closers = [];
});

const heartbeat = (commit: number): Message =>
  message({ type: "MsgHeartbeat", to: 2, from: 1, term: 1, commit });

/** A stream that says what it wants to; `ended` gives what it was refused for, `answered` comes when it was let in. */
function open(
  kind: "messages" | "snapshot",
  as = 1,
): {
  readonly send: (part: RaftBatch & SnapshotPart) => void;
  readonly answered: Promise<void>;
  readonly ended: Promise<unknown>;
} {
  const channel = openTestChannel({ name: "two", address: server.address }, as);
  closers.push(() => channel.close());
  const options = { channelOverride: channel };
  const client = new Raft(server.address, grpc.credentials.createInsecure(), options);
  // Both write what their own kind of part has, and nothing of the other's.
  const stream: grpc.ClientDuplexStream<RaftBatch & SnapshotPart, unknown> =
    kind === "messages" ? client.messages() : client.snapshot();
  const ended = new Promise<unknown>((resolve) => void stream.on("error", resolve));
  const answered = new Promise<void>((resolve) => void stream.on("data", () => resolve()));
  return { send: (part) => void stream.write(part), answered, ended: ended.then(refusalOf) };
}

const hello = (change: Partial<PeerHello> = {}): RaftBatch => ({
  hello: helloToWire({ ...caller.gate.hello(), ...change }),
});

/** An honest member is served as before, and the service has counted what it refused. */
async function expectServed(): Promise<void> {
  const transport = new GrpcTransport({ openChannel: (peer) => openTestChannel(peer, 1) });
  closers.push(() => transport.stop());
  transport.introduce(caller);
  transport.setPeers(new Map([[2, { name: "two", address: server.address }]]));
  await vi.waitFor(() => {
    transport.send([heartbeat(1)]);
    expect(server.received.length).toBeGreaterThan(0);
  });
}

describe("a stream of messages is refused, with the reason, and counted", () => {
  it.each<[string, RaftBatch, string]>([
    ["without a hello", { messages: [toWire(heartbeat(1))] }, "malformed"],
    ["with a hello that is none", { hello: { member: 1 } }, "malformed"],
  ])("%s", async (_name, first, reason) => {
    const { send, ended } = open("messages");
    send(first);
    expect(await ended).toMatchObject({ reason, byLeader: true });
    expect(server.introduction.gate.refusals.counts).toMatchObject({ [reason]: 1 });
    expect(server.introduction.lines).toHaveLength(1);
    await expectServed();
  });

  it.each<[string, Partial<PeerHello>, string]>([
    ["of another mesh", { meshId: "another" }, "mesh"],
    ["in another's name", { member: 2 }, "member"],
    ["with a store that has no name", { storeId: "" }, "malformed"],
    ["with openings that it can not have had", { incarnation: 9 }, "malformed"],
    ["with a negative term", { term: -1 }, "malformed"],
  ])("%s", async (_name, change, reason) => {
    const { send, ended } = open("messages");
    send(hello(change));
    expect(await ended).toMatchObject({ reason });
    expect(server.introduction.gate.refusals.counts).toMatchObject({ [reason]: 1 });
    await expectServed();
  });

  it("of an unknown member, as long as it tries, with one line for all", async () => {
    for (let nth = 0; nth < 5; nth++) {
      const { send, ended } = open("messages", 7);
      send(hello({ member: 7 }));
      expect(await ended).toMatchObject({ reason: "member" });
    }
    expect(server.introduction.gate.refusals.counts.member).toBe(5);
    expect(server.introduction.lines).toHaveLength(1);
  });

  it("that says hello twice", async () => {
    const { send, ended } = open("messages");
    send(hello());
    send(hello());
    expect(await ended).toMatchObject({ reason: "malformed" });
  });

  it("with more messages in a batch, or more bytes in a field, than a member sends", async () => {
    const context = new Uint8Array(5000);
    for (const messages of [
      Array.from({ length: 5000 }, () => toWire(heartbeat(1))),
      [{ ...toWire(heartbeat(1)), context }],
    ]) {
      const { send, answered, ended } = open("messages");
      send(hello());
      await answered;
      send({ messages });
      expect(await ended).toMatchObject({ reason: "oversized" });
    }
    expect(server.introduction.gate.refusals.counts.oversized).toBe(2);
    await expectServed();
  });

  it.each(["Messages", "Snapshot"] as const)(
    "of %s whose bytes are no message, or too many",
    async (method) => {
      const parts: readonly (readonly [Buffer, string])[] = [
        [Buffer.from([0xff, 0xff, 0xff]), "malformed"],
        [Buffer.alloc(3 * 1024 * 1024 + 1), "oversized"],
      ];
      for (const [part, reason] of parts) {
        const channel = openTestChannel({ name: "two", address: server.address }, 1);
        closers.push(() => channel.close());
        const client = new grpc.Client(server.address, grpc.credentials.createInsecure(), {
          channelOverride: channel,
        });
        const stream = client.makeBidiStreamRequest<Buffer, Buffer>(
          Raft.service[method].path,
          (bytes) => bytes,
          (bytes) => bytes,
        );
        const ended = new Promise<unknown>((resolve) => void stream.on("error", resolve));
        stream.on("data", () => {});
        stream.write(part);
        expect(refusalOf(await ended)).toMatchObject({ reason });
        expect(server.introduction.gate.refusals.counts).toMatchObject({ [reason]: 1 });
      }
      expect(server.introduction.lines).toHaveLength(2);
      await expectServed();
    },
  );
});

it("a member whose store a newer process has met is told so by its own stream", async () => {
  const old = new GrpcTransport({
    openChannel: (peer) => openTestChannel(peer, 1),
    limits: { refusedRedialMs: 20 },
  });
  closers.push(() => old.stop());
  old.introduce(caller);
  old.setPeers(new Map([[2, { name: "two", address: server.address }]]));
  await vi.waitFor(() => expect(caller.admittedBy).toEqual([2]));
  const newer = await introduce(1, callersStore);
  expect(await server.introduction.gate.admit(1, newer.gate.hello())).toBeNull();
  await vi.waitFor(() => {
    old.send([heartbeat(1)]);
    expect(caller.refusedBy.length).toBeGreaterThan(1);
  });
  expect(caller.refusedBy[0]).toMatchObject({ member: 2, reason: "incarnation", byLeader: true });
  expect(server.received).toEqual([]);
});

it("nothing is sent to a peer whose store has forgotten something", async () => {
  const before = await introduce(2, new TestStore());
  await caller.gate.admit(2, before.gate.hello());
  const transport = new GrpcTransport({ openChannel: (peer) => openTestChannel(peer, 1) });
  closers.push(() => transport.stop());
  transport.introduce(caller);
  transport.setPeers(new Map([[2, { name: "two", address: server.address }]]));
  await vi.waitFor(() => {
    transport.send([heartbeat(1)]);
    expect(caller.gate.refusals.counts.store).toBeGreaterThan(0);
  });
  expect(server.received).toEqual([]);
});

it("whatever comes is refused or read, and the next stream is served", async () => {
  const text = fc.oneof(fc.string(), fc.constantFrom("MsgApp", "MsgSnap", "MsgVote", "EntryNormal"));
  const number = fc.oneof(fc.integer(), fc.constantFrom(-1, 0, 1, 2, 2 ** 53, 2 ** 62));
  const bytes = fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array));
  const entry = fc.record({ term: number, index: number, type: text, data: bytes }, { requiredKeys: [] });
  const list = fc.array(number, { maxLength: 5 });
  const lists = { voters: list, votersOutgoing: list, learners: list, learnersNext: list };
  const snapshot = fc.record({ data: bytes, index: number, term: number, ...lists }, { requiredKeys: [] });
  const numbers = { to: number, from: number, term: number, logTerm: number, index: number };
  const wire = fc.record(
    { type: text, ...numbers, entries: fc.array(entry, { maxLength: 3 }), snapshot, context: bytes },
    { requiredKeys: [] },
  );
  const opening = fc.record({ name: text, foundBatch: number }, { requiredKeys: [] });
  const someHello = fc.record(
    { meshId: text, member: number, storeId: text, incarnation: number, openings: fc.array(opening) },
    { requiredKeys: [] },
  );
  const batch = fc.record(
    { messages: fc.array(wire, { maxLength: 3 }), hello: someHello, syncedBatch: number },
    { requiredKeys: [] },
  );
  const header = fc.record(
    { message: wire, recordCount: number, recordSum: number, hello: someHello },
    { requiredKeys: [] },
  );
  const record = fc.record({ key: text, value: bytes }, { requiredKeys: [] });
  const part = fc.oneof(
    fc.record({ header }),
    fc.record({ chunk: fc.record({ records: fc.array(record, { maxLength: 3 }) }) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.array(batch, { minLength: 1, maxLength: 3 }),
      async (greets, batches) => {
        const { send, ended } = open("messages");
        if (greets) {
          send(hello());
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        for (const each of batches) send(each);
        // One that is well-formed in all goes on.
        await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 20))]);
      },
    ),
    { numRuns: 60 },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 3 }), async (parts) => {
      const { send, ended } = open("snapshot");
      for (const each of parts) send(each);
      expect(await ended).toMatchObject({
        reason: expect.stringMatching(/malformed|member|mesh/) as unknown,
      });
    }),
    { numRuns: 40 },
  );
  await expectServed();
});

it("bytes that are no message at all end their stream alone", async () => {
  const raw = new grpc.Client(server.address, grpc.credentials.createInsecure());
  closers.push(() => raw.close());
  const asTheyAre = (bytes: Buffer): Buffer => bytes;
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
      for (const method of ["Messages", "Snapshot"]) {
        const metadata = new grpc.Metadata();
        metadata.set("test-caller", "1");
        const path = `/gpumesh.v1.Raft/${method}`;
        const call = raw.makeBidiStreamRequest(path, asTheyAre, asTheyAre, metadata);
        const ended = new Promise<grpc.StatusObject>((resolve) => void call.on("status", resolve));
        call.on("error", () => {});
        call.on("data", () => {});
        call.write(Buffer.from(bytes));
        call.end();
        expect((await ended).code).not.toBe(grpc.status.OK);
      }
    }),
    { numRuns: 40 },
  );
  await expectServed();
});

it("more bytes than a message may have end their stream alone", async () => {
  const { send, ended } = open("messages");
  send(hello());
  await new Promise((resolve) => setTimeout(resolve, 100));
  const data = new Uint8Array(5 * 1024 * 1024);
  send({
    messages: [{ ...toWire(heartbeat(1)), entries: [{ term: 1, index: 1, type: "EntryNormal", data }] }],
  });
  await ended;
  expect(server.received).toEqual([]);
  await expectServed();
});
