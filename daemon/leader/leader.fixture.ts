import * as grpc from "@grpc/grpc-js";
import type { Command } from "../../scheduler/model/command.ts";
import type { Fence, JobSpec } from "../../scheduler/model/job.ts";
import type { PartReport } from "../../scheduler/model/command.ts";
import type { JobId } from "../../scheduler/model/ids.ts";
import { jobId, nodeId } from "../../scheduler/model/ids.ts";
import type { TestMachine } from "../../scheduler/state/cluster.fixture.ts";
import { testFacts, testSpec } from "../../scheduler/state/cluster.fixture.ts";
import type { FromAgent } from "../../proto/gen/gpumesh/v1/FromAgent.ts";
import type { FromLeader__Output } from "../../proto/gen/gpumesh/v1/FromLeader.ts";
import type { PartStatus } from "../../proto/gen/gpumesh/v1/PartStatus.ts";
import { loadMesh } from "../../proto/load.ts";
import { MemoryStore } from "../store/memory-store.ts";
import type { SessionStream } from "./sessions.ts";

/** Unix ms of every command in these tests. */
export const NOW = 1_700_000_000_000;

/** A store of a mesh in which these nodes were admitted; the first one is its founder, number 1, and leads. */
export async function storeOfMesh(...names: readonly string[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  const [founder = "n1", ...others] = names;
  const authority = { certificatePem: "certificate", privateKeyPem: "key" };
  const token = { id: "token", secretHash: "hash" };
  await propose(store, {
    kind: "initialiseMesh",
    at: NOW,
    meshId: "mesh",
    authority,
    founder: nodeId(founder),
  });
  await propose(store, { kind: "addJoinToken", at: NOW, ...token, expiresAt: Number.MAX_SAFE_INTEGER });
  for (const name of others) {
    const { id: tokenId, secretHash } = token;
    const requestId = `admit-${name}`;
    await propose(store, { kind: "admitNode", at: NOW, requestId, node: nodeId(name), tokenId, secretHash });
  }
  return store;
}

/** Proposes what must not be refused. */
export async function propose(store: MemoryStore, command: Command): Promise<void> {
  const result = await store.propose(command);
  if (result.kind === "refused") throw new Error(`${command.kind} was refused: ${result.reason}`);
}

export function register(store: MemoryStore, name: string, machine: TestMachine = {}): Promise<void> {
  return propose(store, { kind: "registerNode", at: NOW, facts: testFacts(name, machine) });
}

export async function submit(store: MemoryStore, spec: Partial<JobSpec> = {}): Promise<JobId> {
  const id = jobId(store.view().jobs.size + 1);
  const requestId = `request-${id}`;
  await propose(store, { kind: "submitJob", at: NOW, requestId, spec: testSpec(spec), submittedBy: "alice" });
  return id;
}

/** Looks again after every turn of the event loop until it holds; gives up after `msMax`. */
export async function until(holds: () => boolean, msMax = 5_000): Promise<void> {
  const deadline = performance.now() + msMax;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not within ${msMax} ms: ${holds.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A server that hands every session to `accept`, with the name that the scripted daemon gives itself. */
export class SessionServer {
  readonly #server = new grpc.Server();
  readonly #daemons: ScriptedDaemon[] = [];
  #port = 0;

  async start(accept: (stream: SessionStream, name: string) => void): Promise<void> {
    const notServed = (): never => {
      throw new Error("not served here");
    };
    this.#server.addService(loadMesh().Peer.service, {
      Session: (call: SessionStream) => accept(call, String(call.metadata.get("name")[0])),
      Shell: notServed,
      Admit: notServed,
      ReadHeldLog: notServed,
    });
    this.#port = await new Promise((resolve, reject) => {
      this.#server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
  }

  /** Calls in as this daemon; nothing is said yet. */
  dial(name: string): ScriptedDaemon {
    const daemon = new ScriptedDaemon(name, `127.0.0.1:${this.#port}`);
    this.#daemons.push(daemon);
    return daemon;
  }

  stop(): void {
    for (const daemon of this.#daemons) daemon.hangUp();
    this.#server.forceShutdown();
  }
}

/** One line of a daemon to the leader, that says only what the test tells it to. */
export class ScriptedDaemon {
  readonly name: string;
  readonly received: FromLeader__Output[] = [];
  ended = false;
  readonly #client: InstanceType<ReturnType<typeof loadMesh>["Peer"]>;
  readonly #stream: grpc.ClientDuplexStream<FromAgent, FromLeader__Output>;

  constructor(name: string, address: string) {
    this.name = name;
    this.#client = new (loadMesh().Peer)(address, grpc.credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
    const metadata = new grpc.Metadata();
    metadata.set("name", name);
    this.#stream = this.#client.session(metadata);
    this.#stream.on("data", (message: FromLeader__Output) => this.received.push(message));
    this.#stream.on("end", () => (this.ended = true));
    this.#stream.on("error", () => (this.ended = true));
  }

  hello(machine: TestMachine = {}, parts: PartStatus[] = []): void {
    this.helloWith(JSON.stringify(testFacts(this.name, machine)), parts);
  }

  helloWith(factsJson: string, parts: PartStatus[] = []): void {
    this.#stream.write({ hello: { factsJson, parts } });
  }

  renew(sequence: number): void {
    this.#stream.write({ renewal: { sequence } });
  }

  report(job: number, attempt: number, fence: Fence, report: PartReport): void {
    this.#stream.write({ report: statusOf(job, attempt, fence, report) });
  }

  hangUp(): void {
    this.#stream.cancel();
    this.#client.close();
  }

  /** What came so far, each message by its kind. */
  get kinds(): readonly (string | undefined)[] {
    return this.received.map((message) => message.message);
  }

  async welcomed(): Promise<void> {
    await until(() => this.kinds.includes("welcome"));
  }
}

/** What a daemon's ledger says of one attempt. */
export function statusOf(
  job: number,
  attempt: number,
  fence: Fence,
  report: PartReport | null,
): PartStatus & { readonly fence: Fence } {
  return { jobId: job, attempt, fence, reportJson: report === null ? "" : JSON.stringify(report) };
}
