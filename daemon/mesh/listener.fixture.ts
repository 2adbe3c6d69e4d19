import { connect, createServer } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import {
  createAuthority,
  createKeyAndRequest,
  issueCertificate,
  type Authority,
  type Role,
} from "../security/ca.ts";
import type { Credentials } from "../security/credentials-store.ts";
import { peerIdentity, serverOptions } from "./channels.ts";
import { createListener, type Listener, type ListenerLimits } from "./listener.ts";

/** A mesh made for one test: its authority, and credentials for whoever the test names. */
export type TestMesh = {
  readonly authority: Authority;
  issue(
    role: Role,
    name: string,
    validity?: { readonly days: number; readonly now: Date },
  ): Promise<Credentials>;
};

export async function makeMesh(meshId: string): Promise<TestMesh> {
  const authority = await createAuthority(meshId);
  return {
    authority,
    async issue(role, name, validity = { days: 1, now: new Date() }) {
      const { privateKeyPem, requestPem } = await createKeyAndRequest(name);
      const issued = await issueCertificate(authority, { meshId, role, name, requestPem, ...validity });
      if (issued.kind === "fault") throw new Error(issued.message);
      return { authorityPem: authority.certificatePem, certificatePem: issued.certificatePem, privateKeyPem };
    },
  };
}

/**
 * One unary call for each door: `Members/WhoAmI` answers with the caller's identity, after as many ms as it is told;
 * `Join/Ask` answers with what it was sent.
 */
const methods = { whoAmI: "/test.Members/WhoAmI", ask: "/test.Join/Ask" } as const;

export type RunningDaemon = {
  readonly address: string;
  readonly port: number;
  readonly listener: Listener;
  /** What `onRefused` was told, oldest first. */
  readonly refusals: readonly string[];
  /** Resolves with the line of the `count`-th refusal. */
  refusal(count: number): Promise<string>;
  stop(): Promise<void>;
};

export async function runDaemon(
  identity: Credentials,
  limits: Partial<ListenerLimits> = {},
  port = 0,
): Promise<RunningDaemon> {
  const mutual = new grpc.Server(serverOptions);
  mutual.addService(definition(methods.whoAmI), {
    call: (call: grpc.ServerUnaryCall<Buffer, Buffer>, reply: grpc.sendUnaryData<Buffer>) => {
      const identity = Buffer.from(JSON.stringify(peerIdentity(call)));
      setTimeout(() => reply(null, identity), Number(call.request));
    },
  });
  const joining = new grpc.Server(serverOptions);
  joining.addService(definition(methods.ask), {
    call: (call: grpc.ServerUnaryCall<Buffer, Buffer>, reply: grpc.sendUnaryData<Buffer>) =>
      reply(null, Buffer.from(`${String(call.request)} from ${JSON.stringify(peerIdentity(call))}`)),
  });

  const refusals: string[] = [];
  const waiting = new Map<number, (line: string) => void>();
  const onRefused = (reason: string, remoteAddress: string): void => {
    const line = `${remoteAddress}: ${reason}`;
    waiting.get(refusals.push(line))?.(line);
  };
  const listener = createListener({ host: "127.0.0.1", port, identity, mutual, joining, limits, onRefused });
  await listener.start();
  return {
    address: `127.0.0.1:${listener.port}`,
    port: listener.port,
    listener,
    refusals,
    refusal: (count) => {
      const line = refusals[count - 1];
      return line === undefined
        ? new Promise((resolve) => waiting.set(count, resolve))
        : Promise.resolve(line);
    },
    async stop() {
      await listener.stop();
      mutual.forceShutdown();
      joining.forceShutdown();
    },
  };
}

/** Calls one of the two test methods, and closes the channel. Rejects with the grpc error. */
export async function callOnce(...args: Parameters<typeof call>): Promise<string> {
  try {
    return await call(...args);
  } finally {
    args[0].close();
  }
}

/** Calls one of the two test methods. Rejects with the grpc error. */
export function call(
  channel: grpc.Channel,
  method: keyof typeof methods,
  text = "",
  timeoutMs = 5_000,
): Promise<string> {
  const client = new grpc.Client("unused", grpc.credentials.createInsecure(), { channelOverride: channel });
  const deadline = new Date(Date.now() + timeoutMs);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(methods[method], asIs, asIs, Buffer.from(text), { deadline }, (error, reply) => {
      if (error === null) resolve(String(reply));
      else reject(error);
    });
  });
}

/** The first bytes that node:tls sends for these options: a real ClientHello. */
export async function captureHello(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer();
  try {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the server has no port");
    return await new Promise((resolve) => {
      const client = connectTls({ host: "127.0.0.1", port: address.port, ...options });
      // The connection ends with the capture, which node:tls reports as a failed handshake.
      client.on("error", () => undefined);
      server.once("connection", (socket) => {
        socket.once("data", (hello) => {
          client.destroy();
          socket.destroy();
          resolve(hello);
        });
      });
    });
  } finally {
    server.close();
  }
}

/** Writes raw bytes to a port and resolves with what came back once the far end has closed. */
export async function sendRaw(port: number, bytes: Uint8Array): Promise<Buffer> {
  const socket = connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  // A daemon that cuts a connection with unread bytes resets it, which is as good an end as any.
  socket.on("error", () => undefined);
  socket.write(bytes);
  await new Promise((resolve) => socket.once("close", resolve));
  return Buffer.concat(chunks);
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}

function definition(path: string): grpc.ServiceDefinition {
  return {
    call: {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  };
}
