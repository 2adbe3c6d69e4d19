import { createSecureContext } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import type { ApiClient } from "../../proto/gen/gpumesh/v1/Api.ts";
import { loadApi } from "../../proto/load.ts";
import { parseAddress } from "../../scheduler/model/address.ts";
import type { ClientContext } from "./context.ts";

/** A channel to one daemon. It connects on first use and again after a loss. */
export interface Line {
  readonly api: ApiClient;
  /** Whether it is connected. */
  ready(): boolean;
  close(): void;
}

const replyBytesMax = 16 * 1024 * 1024;

/** Retries are the caller's, who knows what may be repeated; keepalive finds daemons that vanished without a word. */
const channelOptions: grpc.ClientOptions = {
  "grpc.ssl_target_name_override": "daemon.gpumesh",
  "grpc.max_receive_message_length": replyBytesMax,
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 5_000,
  "grpc.initial_reconnect_backoff_ms": 50,
  "grpc.max_reconnect_backoff_ms": 1_000,
  "grpc.enable_retries": 0,
  "grpc.enable_http_proxy": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.use_local_subchannel_pool": 1,
};

/**
 * Opens a channel over mutual TLS 1.3. Any daemon of the mesh may answer: each one's certificate carries the name
 * `daemon.gpumesh`.
 */
export function openLine(address: string, context: ClientContext): Line {
  const { ca, certificate, key } = context;
  const secure = createSecureContext({ ca, cert: certificate, key, minVersion: "TLSv1.3" });
  const credentials = grpc.ChannelCredentials.createFromSecureContext(secure);
  const Api = (apiConstructor ??= loadApi().Api);
  const api = new Api(grpcTarget(address), credentials, channelOptions);
  return {
    api,
    ready: () => api.getChannel().getConnectivityState(false) === grpc.connectivityState.READY,
    close: () => api.close(),
  };
}

let apiConstructor: ReturnType<typeof loadApi>["Api"] | undefined;

function grpcTarget(address: string): string {
  const parsed = parseAddress(address);
  if (parsed === null) throw new Error(`${JSON.stringify(address)} is not host:port`);
  const { host, port } = parsed;
  return `dns:${host.includes(":") ? `[${host}]` : host}:${port}`;
}
