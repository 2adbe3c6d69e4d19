import * as grpc from "@grpc/grpc-js";
import type { Command } from "../../scheduler/model/command.ts";
import { nodeId, poolId } from "../../scheduler/model/ids.ts";
import type { NodeFacts } from "../../scheduler/model/node.ts";
import type { ApiClient } from "../../proto/gen/gpumesh/v1/Api.ts";
import type { HeldLogChunk } from "../../proto/gen/gpumesh/v1/HeldLogChunk.ts";
import type { ReadHeldLogRequest__Output } from "../../proto/gen/gpumesh/v1/ReadHeldLogRequest.ts";
import { loadApi, loadMesh } from "../../proto/load.ts";
import { openChannel, serverOptions } from "../mesh/channels.ts";
import { Directory } from "../mesh/directory.ts";
import type { Member } from "../mesh/directory.ts";
import { createListener } from "../mesh/listener.ts";
import type { Listener } from "../mesh/listener.ts";
import type { TestMesh } from "../mesh/listener.fixture.ts";
import { Peers } from "../mesh/peers.ts";
import type { Role } from "../security/ca.ts";
import { hashSecret } from "../security/join-token.ts";
import { MemoryStore } from "../store/memory-store.ts";
import type { ApiContext } from "./api-context.ts";
import { apiService } from "./api-service.ts";
import { joinHandler } from "./join-service.ts";
import { writeChunks } from "./read-log.ts";

/** Unix ms of every command in these tests, unless a test moves the clock. */
export const NOW = 1_700_000_000_000;
export const MESH_ID = "mesh-1";
/** The secret behind the token `t1` of every mesh made here. */
export const SECRET = "AAAAAAAAAAAAAAAAAAAAAA";

export const JOB_FILE =
  "name: train\nnodeCount: 1\nslotsPerNode: 1\ncustomToolkitSettings:\n  commandLine: train\n";

/** A store of a mesh with the founder `one`, which has registered, and the join token `t1`. */
export async function storeOfMesh(
  authority = { certificatePem: "", privateKeyPem: "" },
): Promise<MemoryStore> {
  const store = new MemoryStore();
  const { certificatePem, privateKeyPem } = authority;
  await propose(store, {
    kind: "initialiseMesh",
    at: NOW,
    meshId: MESH_ID,
    authority: { certificatePem, privateKeyPem },
    founder: nodeId("one"),
  });
  const secretHash = hashSecret(SECRET);
  await propose(store, { kind: "addJoinToken", at: NOW, id: "t1", secretHash, expiresAt: NOW + 1_000 });
  await propose(store, { kind: "registerNode", at: NOW, facts: machine("one") });
  return store;
}

export async function propose(store: MemoryStore, command: Command): Promise<void> {
  const result = await store.propose(command);
  if (result.kind === "refused") throw new Error(`${command.kind} was refused: ${result.reason}`);
}

/** A machine of 4 slots and no GPU, in the default pool. */
export function machine(name: string): NodeFacts {
  const inventory = {
    hostname: name,
    cpus: 4,
    memoryMiB: 1024,
    slots: 4,
    gpus: [],
    interfaces: [],
    driver: null,
  };
  return {
    id: nodeId(name),
    address: `${name}:7480`,
    network: null,
    pool: poolId("default"),
    spot: false,
    failureDomain: null,
    bootId: "boot-1",
    version: "0",
    inventory,
  };
}

const nobody = new Directory(MESH_ID, []);
const noPeers = new Peers(nobody, () => {
  throw new Error("nobody is called in this test");
});

/** What calls that are made directly work with. */
export function contextOf(store: MemoryStore | null, over: Partial<ApiContext> = {}): ApiContext {
  return {
    store: () => store,
    directory: nobody,
    peers: noPeers,
    now: () => NOW,
    version: "0.0.0",
    joinToken: ({ id, secret }) => `token/${id}/${secret}`,
    ...over,
  };
}

/** Daemons with a listener each, that know each other through one directory. */
export class TestDaemons {
  readonly directory = new Directory(MESH_ID, []);
  readonly #mesh: TestMesh;
  readonly #stops: (() => Promise<void> | void)[] = [];

  constructor(mesh: TestMesh) {
    this.#mesh = mesh;
  }

  /** Starts a daemon. `leader` names whom it holds for the leader; it has a replica only where a store is given. */
  async start(options: {
    readonly name: string;
    readonly store?: MemoryStore;
    readonly leader?: string | null;
    readonly heldLog?: (
      request: { readonly offset?: unknown },
      signal: AbortSignal,
    ) => AsyncIterable<HeldLogChunk>;
  }): Promise<string> {
    const { name, store = null, leader = null, heldLog = noLog } = options;
    const identity = await this.#mesh.issue("daemon", name);
    const peers = new Peers(this.directory, (peer) =>
      openChannel({ address: peer.address, peerName: peer.name, identity }),
    );
    const context = contextOf(store, { directory: this.directory, peers });
    const mutual = new grpc.Server(serverOptions);
    const leaderName = (): string | null => leader;
    mutual.addService(
      loadApi().Api.service,
      apiService({ ...context, leaderName, heldLogs: heldLog, self: name }),
    );
    mutual.addService(loadMesh().Peer.service, {
      Session: notServed,
      Shell: notServed,
      Admit: joinHandler(context, () => null),
      ReadHeldLog: (call: grpc.ServerWritableStream<ReadHeldLogRequest__Output, HeldLogChunk>) => {
        const gone = new AbortController();
        call.on("cancelled", () => gone.abort());
        writeChunks(heldLog(call.request, gone.signal), call).catch((error: unknown) =>
          call.emit("error", error),
        );
      },
    });
    const joining = new grpc.Server(serverOptions);
    joining.addService(loadMesh().Join.service, { Join: joinHandler(context, leaderName) });
    const listener: Listener = createListener({
      host: "127.0.0.1",
      port: 0,
      identity,
      mutual,
      joining,
      limits: { drainMs: 0 },
      onRefused: () => undefined,
    });
    await listener.start();
    const address = `127.0.0.1:${listener.port}`;
    const number = this.directory.members().length + 1;
    const member: Member = { name, number, address, raftRole: store === null ? "client" : "voter" };
    this.directory.replace([...this.directory.members(), member]);
    this.#stops.push(
      () => listener.stop(),
      () => mutual.forceShutdown(),
      () => joining.forceShutdown(),
      () => peers.stop(),
    );
    return address;
  }

  /** A client of the daemon at that address, with a certificate of that role and name. */
  async client(address: string, role: Role = "client", name = "alice"): Promise<ApiClient> {
    const identity = await this.#mesh.issue(role, name);
    const channel = openChannel({ address, peerName: null, identity });
    this.#stops.push(() => channel.close());
    return new (loadApi().Api)(address, grpc.credentials.createSsl(), { channelOverride: channel });
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.toReversed()) await stop();
  }
}

/** The outcome of a unary call. */
export function reply<T>(
  send: (done: (error: grpc.ServiceError | null, reply?: T) => void) => unknown,
): Promise<T> {
  return new Promise((resolve, reject) => {
    send((error, value) => (error === null && value !== undefined ? resolve(value) : reject(error)));
  });
}

/** Looks again after every turn of the event loop until it holds; gives up after 5 s. */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not within 5 s: ${holds.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function noLog(): AsyncIterable<HeldLogChunk> {
  const next = (): Promise<never> => Promise.reject(new Error("this daemon holds no log"));
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

function notServed(): never {
  throw new Error("not served here");
}
