import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

export interface PutRequest {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** Numbers are strings of digits, for a member's id in etcd is a random u64. */
export interface ResponseHeader {
  readonly memberId: string;
  readonly revision: string;
  readonly raftTerm: string;
}

export interface PutResponse {
  readonly header: ResponseHeader | null;
}

export interface StatusResponse {
  readonly header: ResponseHeader | null;
  readonly version: string;
  readonly leader: string;
}

export type KvClient = grpc.Client & {
  put(request: PutRequest, done: grpc.requestCallback<PutResponse>): grpc.ClientUnaryCall;
};

export type MaintenanceClient = grpc.Client & {
  status(
    request: object,
    options: grpc.CallOptions,
    done: grpc.requestCallback<StatusResponse>,
  ): grpc.ClientUnaryCall;
};

/** How a client proves itself to the members of a group, and how it knows them; all in PEM. */
export interface ClientTls {
  readonly authority: string;
  readonly certificate: string;
  readonly privateKey: string;
  /** The name that stands in the certificate of each member. */
  readonly serverName: string;
}

interface Definition {
  readonly etcdserverpb: {
    readonly KV: { readonly service: grpc.ServiceDefinition } & (new (...args: ClientArguments) => KvClient);
    readonly Maintenance: { readonly service: grpc.ServiceDefinition } & (new (
      ...args: ClientArguments
    ) => MaintenanceClient);
  };
}

type ClientArguments = [address: string, credentials: grpc.ChannelCredentials, options: grpc.ClientOptions];

/** The services of kv.proto. */
export const { KV, Maintenance } = (
  grpc.loadPackageDefinition(
    loadSync(join(import.meta.dirname, "kv.proto"), { longs: String, defaults: true }),
  ) as unknown as Definition
).etcdserverpb;

/** What a client of one member is made with: a connection of its own, over mutual TLS. */
export function clientArguments(address: string, tls: ClientTls): ClientArguments {
  const credentials = grpc.credentials.createSsl(
    Buffer.from(tls.authority),
    Buffer.from(tls.privateKey),
    Buffer.from(tls.certificate),
  );
  const options = {
    "grpc.ssl_target_name_override": tls.serverName,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_retries": 0,
    "grpc.service_config_disable_resolution": 1,
  };
  return [address, credentials, options];
}
