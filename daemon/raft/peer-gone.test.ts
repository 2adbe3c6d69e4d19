import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import * as grpc from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openChannel, peerIdentity } from "../mesh/channels.ts";
import { createListener } from "../mesh/listener.ts";
import type { Listener } from "../mesh/listener.ts";
import { makeMesh } from "../mesh/listener.fixture.ts";
import type { TestMesh } from "../mesh/listener.fixture.ts";
import { message } from "./core/core.ts";
import { GrpcTransport } from "./grpc-transport.ts";
import { introduce } from "./identity.fixture.ts";
import { raftService } from "./raft-service.ts";

/** Stands before a member's port as its machine does: it ends connections, or refuses them, whatever the member does. */
class Machine {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(server: Server) {
    this.#server = server;
  }

  static async before(port: number): Promise<Machine> {
    const server = createServer();
    const machine = new Machine(server);
    server.on("connection", (near) => machine.#join(near, connect(port, "127.0.0.1")));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return machine;
  }

  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the server has no port");
    return `127.0.0.1:${address.port}`;
  }

  /** Ends what is connected as the end of a process does. */
  endConnections(how: "FIN" | "RST"): void {
    for (const socket of this.#sockets) {
      if (how === "FIN") socket.end();
      else socket.resetAndDestroy();
    }
  }

  refuse(): void {
    this.#server.close();
  }

  #join(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => this.#sockets.delete(from));
    }
  }
}

/** One of the two members, with its machine. */
interface Member {
  readonly transport: GrpcTransport;
  readonly listener: Listener;
  readonly machine: Machine;
  /** Messages, and ends of the other's process, as they were told; without the greetings. */
  readonly events: string[];
  /** Whether the other's greeting came, a message of index 0. */
  readonly greeted: () => boolean;
  /** How many streams of its own have failed. */
  readonly failures: () => number;
}

let mesh: TestMesh;
let one: Member;
let two: Member;
const closers: (() => Promise<void> | void)[] = [];

beforeEach(async () => {
  mesh = await makeMesh("mesh-1");
  [one, two] = await Promise.all([start(1), start(2)]);
  one.transport.setPeers(new Map([[2, { name: "n2", address: two.machine.address }]]));
  two.transport.setPeers(new Map([[1, { name: "n1", address: one.machine.address }]]));
  await vi.waitFor(() => {
    one.transport.send([message({ type: "MsgHeartbeat", from: 1, to: 2, term: 1 })]);
    two.transport.send([message({ type: "MsgHeartbeat", from: 2, to: 1, term: 1 })]);
    for (const { greeted } of [one, two]) expect(greeted()).toBe(true);
  });
});

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function start(number: number): Promise<Member> {
  const identity = await mesh.issue("daemon", `n${number}`);
  const events: string[] = [];
  const transport = new GrpcTransport({
    openChannel: ({ name, address }) => openChannel({ address, peerName: name, identity }),
  });
  const introduction = await introduce(number);
  transport.introduce(introduction);
  let greeted = false;
  transport.onMessage(({ index }) => {
    if (index === 0) greeted = true;
    else events.push(`message ${index}`);
  });
  let failures = 0;
  transport.onUnreachable(() => failures++);
  transport.onPeerGone((member) => void events.push(`${member} is gone`));
  const mutual = new grpc.Server();
  const joining = new grpc.Server();
  const raft = raftService({
    peerNumber: (call) => Number(peerIdentity(call)?.name.slice(1)),
    isMember: () => true,
    receive: (received) => transport.deliver(received),
    receiveSnapshot: () => Promise.reject(new Error("no snapshots here")),
    brokenOff: (member) => transport.brokenOff(member),
    gate: () => introduction.gate,
  });
  raft.addTo(mutual);
  const listener = createListener({
    host: "127.0.0.1",
    port: 0,
    identity,
    mutual,
    joining,
    limits: { drainMs: 0 },
    onRefused: () => {},
    onEndedByPeer: raft.connectionEnded,
  });
  await listener.start();
  const machine = await Machine.before(listener.port);
  closers.push(async () => {
    await transport.stop();
    machine.refuse();
    machine.endConnections("RST");
    await listener.stop();
    mutual.forceShutdown();
    joining.forceShutdown();
  });
  return { transport, listener, machine, events, greeted: () => greeted, failures: () => failures };
}

/** After its stream has failed, and several dials after it. */
async function expectNothingTold({ events, failures }: Member): Promise<void> {
  await vi.waitFor(() => expect(failures()).toBeGreaterThan(3), { timeout: 5_000 });
  expect(events.filter((event) => event.includes("gone"))).toEqual([]);
}

describe("the end of a member's process", () => {
  it.each(["FIN", "RST"] as const)("is a %s on its stream, and then a refused connection", async (how) => {
    two.machine.refuse();
    two.machine.endConnections("RST");
    one.machine.endConnections(how);
    await vi.waitFor(() => expect(one.events).toEqual(["2 is gone"]));
  });

  it("is told after all that it has sent", async () => {
    const sent = Array.from({ length: 2_000 }, (_, nth) =>
      message({ type: "MsgApp", from: 2, to: 1, term: 1, index: nth + 1, context: new Uint8Array(1_000) }),
    );
    two.transport.send(sent);
    await vi.waitFor(() => expect(one.events.length).toBeGreaterThan(0));
    two.machine.refuse();
    two.machine.endConnections("RST");
    one.machine.endConnections("FIN");
    await vi.waitFor(() => expect(one.events.at(-1)).toBe("2 is gone"));
    const messages = one.events.slice(0, -1);
    expect(messages).toEqual(messages.map((_, nth) => `message ${nth + 1}`));
  });

  it("is not a broken stream of one that can be dialed", async () => {
    one.machine.endConnections("RST");
    two.machine.endConnections("RST");
    await vi.waitFor(() => expect(one.failures()).toBe(1));
    await vi.waitFor(() => {
      one.transport.send([message({ type: "MsgHeartbeat", from: 1, to: 2, term: 1, index: 1 })]);
      expect(two.events).toContain("message 1");
    });
    expect(one.events).toEqual([]);
  });

  it("is not a refused connection alone", async () => {
    two.machine.refuse();
    two.machine.endConnections("RST");
    await expectNothingTold(one);
    // Its own stream to this member stands, and it says so.
    two.transport.send([message({ type: "MsgHeartbeat", from: 2, to: 1, term: 1, index: 7 })]);
    await vi.waitFor(() => expect(one.events).toEqual(["message 7"]));
  });

  it("is not a planned one, which ends its streams first", async () => {
    await two.transport.stop();
    two.machine.refuse();
    two.machine.endConnections("RST");
    await expectNothingTold(one);
  });

  it("is not what this member cuts itself", async () => {
    two.machine.refuse();
    two.machine.endConnections("RST");
    await one.listener.stop();
    await expectNothingTold(one);
  });
});
