import { randomUUID, X509Certificate } from "node:crypto";
import * as grpc from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { JoinRequest__Output } from "../../proto/gen/gpumesh/v1/JoinRequest.ts";
import type { JoinReply__Output } from "../../proto/gen/gpumesh/v1/JoinReply.ts";
import { loadMesh } from "../../proto/load.ts";
import { openJoiningChannel } from "../mesh/channels.ts";
import { makeMesh } from "../mesh/listener.fixture.ts";
import type { TestMesh } from "../mesh/listener.fixture.ts";
import { createKeyAndRequest, identityOf } from "../security/ca.ts";
import { MemoryStore } from "../store/memory-store.ts";
import { contextOf, MESH_ID, NOW, reply, SECRET, storeOfMesh, TestDaemons } from "./api.fixture.ts";
import { join } from "./join-service.ts";

let mesh: TestMesh;
let store: MemoryStore;
let daemons: TestDaemons;
let request: JoinRequest__Output;

beforeEach(async () => {
  mesh = await makeMesh(MESH_ID);
  daemons = new TestDaemons(mesh);
  store = await storeOfMesh(mesh.authority);
  request = {
    requestId: randomUUID(),
    tokenId: "t1",
    tokenSecret: SECRET,
    name: "two",
    certificateRequest: (await createKeyAndRequest("two")).requestPem,
    clientCertificateRequest: (await createKeyAndRequest("two")).requestPem,
  };
});

afterEach(() => daemons.stop());

function identity(pem: string | undefined): unknown {
  return identityOf(new X509Certificate(pem ?? ""));
}

function joinThrough(address: string): Promise<JoinReply__Output> {
  const channel = openJoiningChannel(address, mesh.authority.certificatePem);
  const client = new (loadMesh().Join)(address, grpc.credentials.createSsl(), { channelOverride: channel });
  return reply<JoinReply__Output>((done) => client.join(request, done)).finally(() => channel.close());
}

describe("join", () => {
  it("admits a node and certifies its daemon and its client", async () => {
    const answer = await join(contextOf(store), request, null);
    expect(answer.meshId).toBe(MESH_ID);
    expect(identity(answer.certificate)).toEqual({ meshId: MESH_ID, role: "daemon", name: "two" });
    expect(identity(answer.clientCertificate)).toEqual({ meshId: MESH_ID, role: "client", name: "two" });
    expect([...store.view().nodes.keys()]).toEqual(["one", "two"]);
  });

  it("gives the same node to a repeated request, and its name to no other", async () => {
    await join(contextOf(store), request, null);
    await join(contextOf(store), request, null);
    expect(store.view().nodes.size).toBe(2);
    await expect(join(contextOf(store), { ...request, requestId: randomUUID() }, null)).rejects.toMatchObject(
      {
        code: grpc.status.ALREADY_EXISTS,
        details: expect.stringContaining("join under another node name"),
      },
    );
  });

  it("works at the joining door of any daemon, which passes it on to the leader", async () => {
    await daemons.start({ name: "one", store });
    const address = await daemons.start({ name: "three", leader: "one" });
    const answer = await joinThrough(address);
    expect(identity(answer.certificate)).toMatchObject({ name: "two" });
    expect(answer.directory?.nodes.map((node) => node.name)).toEqual(["one", "three"]);
  });

  it("is UNAVAILABLE without a leader, and while the mesh is being made", async () => {
    const unavailable = { code: grpc.status.UNAVAILABLE };
    await expect(joinThrough(await daemons.start({ name: "three" }))).rejects.toMatchObject(unavailable);
    await expect(join(contextOf(new MemoryStore()), request, null)).rejects.toMatchObject(unavailable);
  });

  const refusals: readonly [string, Partial<JoinRequest__Output>, grpc.status, string][] = [
    ["an unknown token", { tokenId: "t2" }, grpc.status.PERMISSION_DENIED, "not known"],
    ["a wrong secret", { tokenSecret: "wrong" }, grpc.status.PERMISSION_DENIED, "secret is wrong"],
    ["no name", { name: "" }, grpc.status.INVALID_ARGUMENT, "can not be used"],
    ["a name that is no label", { name: "../one" }, grpc.status.INVALID_ARGUMENT, "can not be used"],
    ["a huge name", { name: "x".repeat(1_000_000) }, grpc.status.INVALID_ARGUMENT, "can not be used"],
    ["no request id", { requestId: "" }, grpc.status.INVALID_ARGUMENT, "request_id"],
    ["a huge request id", { requestId: "x".repeat(900_000) }, grpc.status.INVALID_ARGUMENT, "request_id"],
    ["no certificate request", { certificateRequest: "" }, grpc.status.INVALID_ARGUMENT, "PKCS#10"],
    [
      "a malformed client certificate request",
      { clientCertificateRequest: "-----BEGIN" },
      grpc.status.INVALID_ARGUMENT,
      "PKCS#10",
    ],
  ];
  for (const [what, change, code, said] of refusals) {
    it(`with ${what} is refused in one line, and nothing enters the log`, async () => {
      const proposed = vi.spyOn(store, "propose");
      request = { ...request, ...change };
      const refusal = joinThrough(await daemons.start({ name: "one", store }));
      const line = new RegExp(`^[^\n]*${said}[^\n]*$`);
      await expect(refusal).rejects.toMatchObject({ code, details: expect.stringMatching(line) });
      expect(proposed).not.toHaveBeenCalled();
    });
  }

  it("with a token that has expired is refused", async () => {
    const late = contextOf(store, { now: () => NOW + 1_000 });
    await expect(join(late, request, null)).rejects.toMatchObject({
      code: grpc.status.PERMISSION_DENIED,
      details: expect.stringContaining("it has expired; make a new one"),
    });
  });
});
