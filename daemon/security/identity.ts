import { X509Certificate } from "node:crypto";
import { meshIdSchema, nodeNameSchema } from "./names.ts";

export type Role = "daemon" | "client";

/** Who a certificate of a mesh speaks for. */
export type Identity = {
  readonly meshId: string;
  readonly role: Role;
  readonly name: string;
};

/** The DNS name that every daemon's certificate carries: what a client checks before it knows the daemon's name. */
export const anyDaemonServerName = "daemon.gpumesh";

/** The DNS name that only the certificate of the daemon called `name` carries. */
export function daemonServerName(name: string): string {
  return `${name}.${anyDaemonServerName}`;
}

/** `gpumesh://<meshId>/<role>/<name>`: the URI in the subject alternative names that carries an identity. */
export function identityUri(identity: Identity): string {
  return `gpumesh://${identity.meshId}/${identity.role}/${identity.name}`;
}

const uriPattern = /^gpumesh:\/\/([^/]+)\/(daemon|client)\/([^/]+)$/;

/**
 * The identity that a certificate states, or null where it states none or is not a certificate.
 *
 * It reads and does not judge: whether the mesh's authority signed the certificate, and whether it is valid today, is
 * for the TLS handshake. Exactly one URI must stand among the alternative names, in exactly the form `identityUri`
 * writes; a quoted (escaped) entry makes the list ambiguous to split and is refused as a whole.
 */
export function identityOf(certificate: X509Certificate | Uint8Array): Identity | null {
  const parsed = certificate instanceof X509Certificate ? certificate : parseDer(certificate);
  const names = parsed?.subjectAltName;
  if (names === undefined || names.includes('"')) return null;
  const uris = names.split(", ").filter((entry) => entry.startsWith("URI:"));
  if (uris.length !== 1) return null;
  const [, meshId, role, name] = uriPattern.exec(uris[0]?.slice("URI:".length) ?? "") ?? [];
  const mesh = meshIdSchema.safeParse(meshId);
  const named = nodeNameSchema.safeParse(name);
  if (!mesh.success || !named.success || (role !== "daemon" && role !== "client")) return null;
  return { meshId: mesh.data, role, name: named.data };
}

function parseDer(der: Uint8Array): X509Certificate | null {
  try {
    return new X509Certificate(der);
  } catch {
    return null;
  }
}
