import "reflect-metadata";
import { KeyObject, webcrypto } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import * as x509 from "@peculiar/x509";
import type { ApiHandlers } from "../../proto/gen/gpumesh/v1/Api.ts";
import type { Attempt__Output as Attempt } from "../../proto/gen/gpumesh/v1/Attempt.ts";
import type { Job__Output as Job } from "../../proto/gen/gpumesh/v1/Job.ts";
import { loadApi } from "../../proto/load.ts";
import type { ClientContext } from "./context.ts";

/** A mesh's authority with a daemon's and a client's certificate under it, all in PEM. */
export interface TestMesh {
  readonly ca: string;
  readonly daemon: Credentials;
  readonly client: Credentials;
  context(addresses: readonly string[]): ClientContext;
}

interface Credentials {
  readonly certificate: string;
  readonly key: string;
}

export interface TestServer {
  readonly address: string;
  stop(): Promise<void>;
}

const signing = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const hourMs = 3_600_000;

export async function makeTestMesh(clientEnds = new Date(Date.now() + hourMs)): Promise<TestMesh> {
  const keys = await webcrypto.subtle.generateKey(signing, true, ["sign", "verify"]);
  const notBefore = new Date(Date.now() - 2 * hourMs);
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=test authority",
    keys,
    signingAlgorithm: signing,
    notBefore,
    notAfter: new Date(Date.now() + hourMs),
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  const issue = async (name: string, notAfter: Date): Promise<Credentials> => {
    const own = await webcrypto.subtle.generateKey(signing, true, ["sign", "verify"]);
    const certificate = await x509.X509CertificateGenerator.create({
      subject: `CN=${name}`,
      issuer: authority.subject,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: signing,
      notBefore,
      notAfter,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: name }])],
    });
    const key = KeyObject.from(own.privateKey).export({ type: "pkcs8", format: "pem" });
    return { certificate: certificate.toString("pem"), key: key.toString() };
  };
  const ca = authority.toString("pem");
  const client = await issue("client", clientEnds);
  return {
    ca,
    daemon: await issue("daemon.gpumesh", new Date(Date.now() + hourMs)),
    client,
    context: (addresses) => ({ meshId: "test-mesh", addresses, ca, ...client }),
  };
}

/** Serves the API with mutual TLS on a free port of the loopback, or on the given one. */
export async function serve(mesh: TestMesh, handlers: Partial<ApiHandlers>, port = 0): Promise<TestServer> {
  const server = new grpc.Server();
  server.addService(loadApi().Api.service, handlers as grpc.UntypedServiceImplementation);
  const { certificate, key } = mesh.daemon;
  const pair = { cert_chain: Buffer.from(certificate), private_key: Buffer.from(key) };
  const credentials = grpc.ServerCredentials.createSsl(Buffer.from(mesh.ca), [pair], true);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, found) =>
      error === null ? resolve(found) : reject(error),
    );
  });
  return {
    address: `127.0.0.1:${bound}`,
    stop: () => {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}

/** Takes connections and never says a word. */
export async function serveSilence(): Promise<TestServer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const sockets = new Set<{ destroy(): void }>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An address at which nothing listens. */
export async function deadAddress(): Promise<string> {
  const server = await serveSilence();
  await server.stop();
  return server.address;
}

export function failure(code: grpc.status, details: string): grpc.ServiceError {
  return Object.assign(new Error(details), { code, details, metadata: new grpc.Metadata() });
}

export function job(fields: Partial<Job> = {}): Job {
  return {
    id: 7,
    name: "train",
    workspace: "default",
    experiment: "default",
    pool: "default",
    priority: "normal",
    nodeCount: 1,
    state: "running",
    submittedAtMs: 1_000,
    submittedBy: "ada",
    startedAtMs: 2_000,
    endedAtMs: 0,
    exitCode: 0,
    reason: "",
    wait: null,
    attempts: [],
    specJson: "{}",
    toolkit: "customToolkit",
    ...fields,
  };
}

/** An attempt on one node, `node-a`, that has started. */
export function attempt(fields: Partial<Attempt> = {}, commands: readonly string[] = ["task-0"]): Attempt {
  return {
    number: 1,
    placedAtMs: 1_500,
    startedAtMs: 2_000,
    endedAtMs: 0,
    outcome: "",
    reason: "",
    parts: [{ node: "node-a", gpus: [], slots: 1, progress: "started", commands: [...commands] }],
    ...fields,
  };
}

/** Writes a client's context into a folder that exists. */
export function writeContext(folder: string, mesh: TestMesh, addresses: readonly string[]): void {
  const { meshId, ca, certificate, key } = mesh.context(addresses);
  writeFileSync(join(folder, "ca.pem"), ca);
  writeFileSync(join(folder, "client.pem"), certificate);
  writeFileSync(join(folder, "client.key"), key, { mode: 0o600 });
  writeFileSync(join(folder, "context.json"), JSON.stringify({ meshId, addresses }));
}
