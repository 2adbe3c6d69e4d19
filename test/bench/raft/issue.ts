import { createKeyAndRequest, issueCertificate } from "../../../daemon/security/ca.ts";
import type { Authority, Role } from "../../../daemon/security/ca.ts";
import type { Credentials } from "../../../daemon/security/credentials-store.ts";

/** The mesh that the members of a benchmark's group belong to. */
export const benchMeshId = "bench";

/** A key with a certificate of the benchmark's authority, for a day. */
export async function issue(authority: Authority, role: Role, name: string): Promise<Credentials> {
  const { privateKeyPem, requestPem } = await createKeyAndRequest(name);
  const options = { meshId: benchMeshId, role, name, requestPem, days: 1, now: new Date() };
  const issued = await issueCertificate(authority, options);
  if (issued.kind === "fault") throw new Error(issued.message);
  return { authorityPem: authority.certificatePem, certificatePem: issued.certificatePem, privateKeyPem };
}
