import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Command } from "../../scheduler/model/command.ts";
import { nodeId } from "../../scheduler/model/ids.ts";
import { loadMesh } from "../../proto/load.ts";
import { joinHandler } from "../api/join-service.ts";
import { serverOptions } from "../mesh/channels.ts";
import { Directory } from "../mesh/directory.ts";
import type { Member } from "../mesh/directory.ts";
import { createListener } from "../mesh/listener.ts";
import { Peers } from "../mesh/peers.ts";
import { readClientContext, readDaemonCredentials } from "../security/credentials-store.ts";
import { DataFolder, SetupError } from "../setup/data-folder.ts";
import { initMesh } from "../setup/init.ts";
import { joinMesh } from "../setup/join.ts";
import type { JoinOptions } from "../setup/join.ts";
import { MemoryStore } from "../store/memory-store.ts";

/** One machine has made a mesh and serves its joining door; a second one joins. */
let dir: string;
let token: string;
let meshId: string;
let store: MemoryStore;
let directory: Directory;
let now: () => number;
let stop: () => Promise<void>;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "gm-join-"));
  now = () => Date.now();
  const port = await freePort();
  const advertise = `127.0.0.1:${port}`;
  const folder = new DataFolder(join(dir, "founder"));
  const common = {
    name: "founder",
    advertise,
    pool: "default",
    spot: false,
    failureDomain: null,
    slots: null,
  };
  ({ token, meshId } = await initMesh({ ...common, folder, contextDir: join(dir, "admin"), now }));
  store = new MemoryStore();
  const founding = folder.readFounding();
  const credentials = await readDaemonCredentials(folder.identity);
  if (founding === null || credentials.kind !== "found") throw new Error("init left something out");
  const founder = nodeId("founder");
  await propose({ kind: "initialiseMesh", at: now(), meshId, authority: founding.authority, founder });
  await propose({ kind: "addJoinToken", at: now(), ...founding.token });

  directory = new Directory(meshId, folder.readDirectory()?.members ?? []);
  const peers = new Peers(directory, () => {
    throw new Error("no other daemon is called");
  });
  const joinToken = (): never => {
    throw new Error("no token is made");
  };
  const context = { store: () => store, directory, peers, now: () => now(), version: "0", joinToken };
  const joining = new grpc.Server(serverOptions);
  joining.addService(loadMesh().Join.service, { Join: joinHandler(context, () => null) });
  const listener = createListener({
    host: "127.0.0.1",
    port,
    identity: credentials.credentials,
    mutual: new grpc.Server(serverOptions),
    joining,
    limits: { drainMs: 0 },
    onRefused: () => undefined,
  });
  await listener.start();
  stop = async () => {
    await listener.stop();
    joining.forceShutdown();
  };
});

afterEach(async () => {
  await stop();
  rmSync(dir, { recursive: true, force: true });
});

async function propose(command: Command): Promise<void> {
  const result = await store.propose(command);
  if (result.kind === "refused") throw new Error(result.reason);
}

function options(over: Partial<JoinOptions> = {}): JoinOptions {
  return {
    folder: new DataFolder(join(dir, "second")),
    contextDir: join(dir, "context"),
    token,
    name: "second",
    advertise: "127.0.0.1:7481",
    pool: "default",
    spot: true,
    failureDomain: null,
    slots: 2,
    ...over,
  };
}

/** A port that nothing listens on at this moment. */
async function freePort(): Promise<number> {
  const server = new grpc.Server();
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  server.forceShutdown();
  return port;
}

async function refusal(joining: Promise<unknown>): Promise<string> {
  const error: unknown = await joining.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SetupError)) throw new Error(`not refused as expected: ${String(error)}`);
  return error.message;
}

describe("join", () => {
  it("gives a machine its certificates, the directory and its configuration", async () => {
    const { folder, contextDir } = options();
    expect(await joinMesh(options())).toEqual({ meshId });
    expect(await readDaemonCredentials(folder.identity)).toMatchObject({
      identity: { meshId, role: "daemon", name: "second" },
    });
    expect(await readClientContext(contextDir)).toMatchObject({
      context: { meshId, addresses: ["127.0.0.1:7481", directory.members()[0]?.address] },
    });
    expect(folder.readConfig()).toEqual({
      meshId,
      name: "second",
      advertise: "127.0.0.1:7481",
      pool: "default",
      spot: true,
      failureDomain: null,
      slots: 2,
    });
    expect(folder.readDirectory()?.members.map((member) => member.name)).toEqual(["founder"]);
    expect(store.view().nodes.get(nodeId("second"))?.number).toBe(2);
  });

  it("works in a mesh of more daemons than a client context names", async () => {
    const many = Array.from({ length: 200 }, (_, nth): Member => {
      return { name: `n${nth}`, number: nth + 2, address: `10.0.0.${nth}:7480`, raftRole: "client" };
    });
    directory.replace([...directory.members(), ...many]);
    await joinMesh(options());
    const context = await readClientContext(options().contextDir);
    if (context.kind !== "found") throw new Error("no context was written");
    expect(context.context.addresses).toContain("127.0.0.1:7481");
    expect(options().folder.readDirectory()?.members).toHaveLength(201);
  });

  it("waits for a mesh that is between two leaders", async () => {
    store.setLeader(null);
    const joining = joinMesh(options());
    await new Promise((resolve) => setTimeout(resolve, 200));
    store.setLeader(1);
    expect(await joining).toEqual({ meshId });
  });

  const cut = (text: string): string => text.slice(0, -1);
  const refusals: readonly [string, () => Partial<JoinOptions>, RegExp][] = [
    ["a token that was cut", () => ({ token: cut(token) }), /no join token/],
    ["another secret", () => ({ token: `${token.slice(0, -22)}${"A".repeat(22)}` }), /its secret is wrong/],
    ["another mesh's digest", () => ({ token: otherDigest(token) }), /another mesh's certificate/],
    ["a name that is taken", () => ({ name: "founder" }), /already has a node named founder/],
    ["a name that can not be", () => ({ name: "-x-" }), /name "-x-" can not be used/],
    ["a pool that can not be", () => ({ pool: "a/b" }), /pool "a\/b" can not be used/],
    ["an address that can not be", () => ({ advertise: "x" }), /advertise "x" can not be used/],
  ];
  for (const [what, change, said] of refusals) {
    it(`with ${what} is refused in one line, and leaves no daemon behind`, async () => {
      const message = await refusal(joinMesh(options(change())));
      expect(message).toMatch(said);
      expect(message).not.toContain("\n");
      expect(options().folder.readConfig()).toBeNull();
      expect(store.view().nodes.size).toBe(1);
    });
  }

  it("with a token that has expired says to make a new one", async () => {
    now = () => Date.now() + 2 * 3_600_000;
    expect(await refusal(joinMesh(options()))).toMatch(/it has expired; make a new one/);
  });

  it("where nobody listens names the address", async () => {
    await stop();
    expect(await refusal(joinMesh(options()))).toContain(directory.members()[0]?.address);
  });

  it("does not touch a folder that belongs to a mesh", async () => {
    await joinMesh(options());
    expect(await refusal(joinMesh(options({ name: "third" })))).toContain("already belongs to second");
    expect(store.view().nodes.size).toBe(2);
  });
});

/** The token with another digest of the same form. */
function otherDigest(text: string): string {
  const parts = text.split("/");
  return parts.with(2, "A".repeat(43)).join("/");
}
