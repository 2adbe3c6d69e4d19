import type { TLSSocket } from "node:tls";
import { identityOf } from "../security/identity.ts";

/** Why a finished handshake gives no entry at the mutual door, in words for a log line; null where it does. */
export function refusalOfMember(socket: TLSSocket, meshId: string): string | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    return "it shows no certificate; members show one of this mesh, newcomers join with a token";
  }
  const identity = identityOf(certificate);
  const who = identity === null ? "its certificate" : `the certificate of ${identity.role} ${identity.name}`;
  if (!socket.authorized) {
    // Node types this as an Error, but a server's socket carries OpenSSL's code as a string.
    const code = String(socket.authorizationError);
    if (code === "CERT_HAS_EXPIRED") {
      return `${who} expired at ${certificate.validToDate.toISOString()}; check both clocks, or renew it`;
    }
    if (code === "CERT_NOT_YET_VALID") {
      return `${who} is valid from ${certificate.validFromDate.toISOString()} only; check both clocks`;
    }
    return `${who} is not signed by this mesh's authority (${code}); join this mesh with a token`;
  }
  if (identity === null) return "its certificate names nobody of a mesh; join this mesh with a token";
  if (identity.meshId !== meshId) return `${who} is of mesh ${identity.meshId}, not ${meshId}`;
  return null;
}

/** What an error within the TLS handshake means, in words for a log line. */
export function refusalOfHandshake(error: Error, handshakeTimeoutMs: number): string {
  const code = "code" in error && typeof error.code === "string" ? error.code : error.message;
  if (code === "ERR_TLS_HANDSHAKE_TIMEOUT")
    return `it did not end its TLS handshake within ${handshakeTimeoutMs} ms`;
  if (code === "ERR_SSL_UNSUPPORTED_PROTOCOL") return "it offers no TLS 1.3; use a newer client";
  if (code === "ERR_SSL_NO_APPLICATION_PROTOCOL") return notHttp2;
  if (code.includes("ALERT"))
    return `it refused this daemon's certificate (${code}); check that it is of this mesh`;
  return `its TLS handshake failed (${code})`;
}

/** Why a client that negotiated another protocol than `h2` is turned away. */
export const notHttp2 = "it does not speak HTTP/2; use a gpumesh client";

/** A client that does not believe a daemon's certificate often just leaves, without a TLS alert. */
export const endedInHandshake = "it ended within its TLS handshake; it may believe another mesh's authority";
