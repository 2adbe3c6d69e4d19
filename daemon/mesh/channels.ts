import { X509Certificate } from "node:crypto";
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  type PeerCertificate,
  type TLSSocket,
} from "node:tls";
import * as grpc from "@grpc/grpc-js";
import { identityOf, spkiDigestOf, type Identity } from "../security/ca.ts";
import type { Credentials } from "../security/credentials-store.ts";
import { anyDaemonServerName, daemonServerName } from "../security/identity.ts";
import { ChannelError, channelErrorOf } from "./channels-faults.ts";

export { ChannelError, channelErrorOf } from "./channels-faults.ts";
export { watchConnecting } from "./channels-watch.ts";

/** The server name (SNI) that asks for the joining door. No certificate carries it: it only chooses the door. */
export const joinServerName = "join.gpumesh";

/** No message of the mesh is longer, in either direction: longer things travel in chunks. */
export const messageBytesMax = 4 * 1024 * 1024;

const keepaliveTimeMs = 10_000;
const keepaliveTimeoutMs = 5_000;
const reconnectInitialMs = 50;
const reconnectMaxMs = 1_000;
const resolveAgainMs = 1_000;
const fetchAuthorityTimeoutMs = 10_000;
const hangUpTimeoutMs = 1_000;

/**
 * For clients over a given channel: grpc-js wants credentials there too, and does not look at them. They are made once, since
 * that reads all authorities that the system trusts, for 10 ms in which nothing else happens.
 */
export const unusedCredentials = grpc.credentials.createSsl();

/** Of every channel and server. Nobody reads grpc-js's own statistics (channelz), and they cost something at each call. */
const commonOptions = {
  "grpc.enable_channelz": 0,
  "grpc.max_send_message_length": messageBytesMax,
  "grpc.max_receive_message_length": messageBytesMax,
} as const;

/** What every grpc server of the mesh is made with, so that both ends of a stream hold to the same limits. */
export const serverOptions: grpc.ServerOptions = {
  ...commonOptions,
  "grpc.keepalive_time_ms": keepaliveTimeMs,
  "grpc.keepalive_timeout_ms": keepaliveTimeoutMs,
};

/**
 * A subchannel pool of its own makes a channel own its connection, so that closing one is seen by its peer at once.
 * Retries are the callers' own, who know what may be repeated.
 */
const channelOptions: grpc.ChannelOptions = {
  ...commonOptions,
  "grpc.keepalive_time_ms": keepaliveTimeMs,
  "grpc.keepalive_timeout_ms": keepaliveTimeoutMs,
  "grpc.keepalive_permit_without_calls": 1,
  "grpc.initial_reconnect_backoff_ms": reconnectInitialMs,
  "grpc.max_reconnect_backoff_ms": reconnectMaxMs,
  "grpc.dns_min_time_between_resolutions_ms": resolveAgainMs,
  "grpc.enable_retries": 0,
  "grpc.enable_http_proxy": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.use_local_subchannel_pool": 1,
};

export type ChannelTarget = {
  /** `host:port` or `[ipv6]:port`. */
  readonly address: string;
  /** The name of the daemon that must answer; null where any daemon of the mesh will do. */
  readonly peerName: string | null;
  readonly identity: Credentials;
};

/**
 * Opens a channel to a daemon over mutual TLS 1.3. It connects on first use and again after a loss (50 ms to 1 s); why
 * it could not is in the error of the calls, for `channelErrorOf`. Throws where the credentials cannot be parsed.
 */
export function openChannel(target: ChannelTarget): grpc.Channel {
  const { authorityPem, certificatePem, privateKeyPem } = target.identity;
  const context = createSecureContext({
    ca: authorityPem,
    cert: certificatePem,
    key: privateKeyPem,
    minVersion: "TLSv1.3",
  });
  const serverName = target.peerName === null ? anyDaemonServerName : daemonServerName(target.peerName);
  return new grpc.Channel(
    grpcTarget(target.address),
    grpc.ChannelCredentials.createFromSecureContext(context),
    { ...channelOptions, "grpc.ssl_target_name_override": serverName },
  );
}

/** Opens a channel to the joining door of any daemon under `authorityPem`. It shows no certificate. */
export function openJoiningChannel(address: string, authorityPem: string): grpc.Channel {
  const context = createSecureContext({ ca: authorityPem, minVersion: "TLSv1.3" });
  return new grpc.Channel(
    grpcTarget(address),
    grpc.ChannelCredentials.createFromSecureContext(context, {
      checkServerIdentity: checkDaemon,
    }),
    { ...channelOptions, "grpc.ssl_target_name_override": joinServerName },
  );
}

/**
 * Fetches the authority's certificate (PEM) from the daemon at `address`, before anything is told to it.
 *
 * The daemon must prove the key of a daemon's certificate, valid now, under an authority whose SPKI digest is `digest`;
 * a stranger can therefore at most make this fail. Rejects with a `ChannelError`.
 */
export async function fetchAuthority(
  address: string,
  digest: string,
  timeoutMs = fetchAuthorityTimeoutMs,
): Promise<string> {
  const socket = await connectUnverified(address, timeoutMs);
  try {
    return verifiedAuthority(socket.getPeerCertificate(true), address, digest, new Date()).toString();
  } finally {
    hangUp(socket);
  }
}

/** Who makes a call, by the certificate of its connection; null on the joining door. */
export function peerIdentity(
  call: Pick<grpc.ServerUnaryCall<unknown, unknown>, "getAuthContext">,
): Identity | null {
  const certificate = call.getAuthContext().sslPeerCertificate;
  if (certificate === undefined) return null;
  let identity = identities.get(certificate);
  if (identity === undefined) identities.set(certificate, (identity = identityOf(certificate.raw)));
  return identity;
}

/** What each certificate states: reading one costs more than all the rest of a small call. */
const identities = new WeakMap<PeerCertificate, Identity | null>();

/** For the joining door: the name in the SNI only chooses it, the certificate behind it is a daemon's like any other. */
function checkDaemon(_serverName: string, certificate: PeerCertificate): Error | undefined {
  return checkServerIdentity(anyDaemonServerName, certificate);
}

function grpcTarget(address: string): string {
  const { host, port } = hostAndPort(address);
  return `dns:${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]/]+)):(\d{1,5})$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || !(port >= 1 && port <= 65_535)) {
    throw new ChannelError(
      "bad-address",
      `${JSON.stringify(address)} is not host:port; give one such as gpu-01:7480`,
    );
  }
  return { host, port };
}

function connectUnverified(address: string, timeoutMs: number): Promise<TLSSocket> {
  const { host, port } = hostAndPort(address);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      servername: joinServerName,
      ALPNProtocols: ["h2"],
      minVersion: "TLSv1.3",
      // The join token's digest is the trust anchor, and it is checked against the chain after the handshake.
      rejectUnauthorized: false,
    });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(channelErrorOf(new Error("ETIMEDOUT"), address));
    }, timeoutMs);
    socket.once("secureConnect", () => {
      clearTimeout(timer);
      resolve(socket);
    });
    // The listener stays, so that a reset after the handshake is no uncaught error; rejecting twice does nothing.
    socket.on("error", (error) => {
      clearTimeout(timer);
      reject(channelErrorOf(error, address));
    });
  });
}

/** Ends a connection after the handshake's last bytes are out: cutting them off would look like a refusal over there. */
function hangUp(socket: TLSSocket): void {
  socket.setTimeout(hangUpTimeoutMs, () => socket.destroy());
  socket.resume().end();
}

function verifiedAuthority(
  chain: { readonly raw?: Buffer; readonly issuerCertificate?: { readonly raw?: Buffer } },
  address: string,
  digest: string,
  now: Date,
): X509Certificate {
  const leaf = chain.raw === undefined ? null : new X509Certificate(chain.raw);
  const issuer = chain.issuerCertificate?.raw;
  const authority = issuer === undefined ? null : new X509Certificate(issuer);
  const genuine =
    leaf !== null &&
    authority !== null &&
    spkiDigestOf(authority) === digest &&
    authority.ca &&
    leaf.checkIssued(authority) &&
    leaf.verify(authority.publicKey) &&
    identityOf(leaf)?.role === "daemon";
  if (!genuine) {
    throw new ChannelError(
      "other-mesh",
      `the daemon at ${address} answers with another mesh's certificate than the join token names; check the address, or make a new token on a daemon of the mesh`,
    );
  }
  if (leaf.validToDate < now) throw channelErrorOf(new Error("CERT_HAS_EXPIRED"), address);
  if (leaf.validFromDate > now) throw channelErrorOf(new Error("CERT_NOT_YET_VALID"), address);
  return authority;
}
