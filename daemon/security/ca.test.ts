import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  createAuthority,
  createKeyAndRequest,
  identityOf,
  issueCertificate,
  nodeNameSchema,
  spkiDigestOf,
  type Authority,
  type IssueOptions,
} from "./ca.ts";

const now = new Date("2026-03-01T12:00:00Z");
let authority: Authority;
let request: { readonly requestPem: string; readonly privateKeyPem: string };

beforeAll(async () => {
  authority = await createAuthority("mesh-1", now);
  request = await createKeyAndRequest("gpu-01");
});

function issue(changes: Partial<IssueOptions> = {}) {
  const { requestPem } = request;
  return issueCertificate(authority, {
    meshId: "mesh-1",
    role: "daemon",
    name: "gpu-01",
    requestPem,
    days: 3,
    now,
    ...changes,
  });
}

async function issued(changes: Partial<IssueOptions> = {}): Promise<X509Certificate> {
  const result = await issue(changes);
  if (result.kind === "fault") throw new Error(result.message);
  return new X509Certificate(result.certificatePem);
}

describe("createAuthority", () => {
  it("makes a self-signed P-256 authority for 20 years, backdated one hour", () => {
    const certificate = new X509Certificate(authority.certificatePem);
    expect(certificate.ca).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(authority.privateKeyPem))).toBe(true);
    expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
    expect(certificate.validFromDate).toEqual(new Date("2026-03-01T11:00:00Z"));
    expect(certificate.validToDate).toEqual(new Date("2046-03-01T12:00:00Z"));
  });

  it("is pinned by the SHA-256 of its public key", () => {
    const certificate = new X509Certificate(authority.certificatePem);
    const spki = certificate.publicKey.export({ type: "spki", format: "der" });
    expect(certificate.raw.includes(spki)).toBe(true);
    expect(authority.spkiDigest).toBe(createHash("sha256").update(spki).digest("base64url"));
    expect(spkiDigestOf(certificate)).toBe(authority.spkiDigest);
  });

  it("rejects what is no mesh id", async () => {
    await expect(createAuthority("Mesh/1")).rejects.toThrow("a mesh id");
  });
});

describe("issueCertificate", () => {
  it("lets a daemon serve under its names, and call", async () => {
    const leaf = await issued();
    expect(leaf.subjectAltName).toBe(
      "DNS:gpu-01.daemon.gpumesh, DNS:daemon.gpumesh, URI:gpumesh://mesh-1/daemon/gpu-01",
    );
    expect([...leaf.keyUsage].toSorted()).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    expect(leaf.ca).toBe(false);
    expect(leaf.checkPrivateKey(createPrivateKey(request.privateKeyPem))).toBe(true);
    expect(leaf.checkIssued(new X509Certificate(authority.certificatePem))).toBe(true);
    expect(leaf.verify(new X509Certificate(authority.certificatePem).publicKey)).toBe(true);
    expect(leaf.validFromDate).toEqual(new Date("2026-03-01T11:00:00Z"));
    expect(leaf.validToDate).toEqual(new Date("2026-03-04T12:00:00Z"));
  });

  it("lets a client only call", async () => {
    const leaf = await issued({ role: "client", name: "alice" });
    expect(leaf.subjectAltName).toBe("URI:gpumesh://mesh-1/client/alice");
    expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
  });

  it("takes the name from the mesh and not from the request", async () => {
    const leaf = await issued({ name: "gpu-02" });
    expect(leaf.subject).toBe("CN=gpu-02");
    expect(identityOf(leaf)).toEqual({ meshId: "mesh-1", role: "daemon", name: "gpu-02" });
  });

  it("gives every certificate its own serial number of 127 bits", async () => {
    const serials = await Promise.all(Array.from({ length: 8 }, async () => (await issued()).serialNumber));
    expect(new Set(serials).size).toBe(serials.length);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
  });

  it.each([
    ["text that is no request", () => "hello", "cannot be read"],
    ["a cut request", () => request.requestPem.slice(0, 200), "cannot be read"],
    ["a certificate in its place", () => authority.certificatePem, "the certificate request"],
    ["a request that is too long", () => "x".repeat(8_193), "longer than 8192"],
    ["a request whose signature was changed", () => withLastByteChanged(request.requestPem), "its own key"],
  ])("refuses %s", async (_name, requestPem, why) => {
    const result = await issue({ requestPem: requestPem() });
    expect(result).toEqual({ kind: "fault", message: expect.stringContaining(why) });
  });

  it("refuses a request for another kind of key", async () => {
    // openssl req -new -newkey ed25519 -nodes -subj /CN=gpu-01
    const ed25519 = `-----BEGIN CERTIFICATE REQUEST-----
MIGQMEQCAQAwETEPMA0GA1UEAwwGZ3B1LTAxMCowBQYDK2VwAyEA3/Cxl95qMdS/
AJdj8yaAB9rXXJW2z/DWfxIQyBoy+YCgADAFBgMrZXADQQBPXde2n/x7Zu1/gUJ+
O9KUquME3A5xPuKu8G9grFkJLx2aTQyuizRvD3XH7HU0yu9lwD3SxhTNFwkh7uzl
v+EG
-----END CERTIFICATE REQUEST-----`;
    expect(await issue({ requestPem: ed25519 })).toEqual({
      kind: "fault",
      message: expect.stringContaining("not for a P-256 key"),
    });
  });

  it("refuses a name that is none", async () => {
    expect(await issue({ name: "GPU 01" })).toEqual({
      kind: "fault",
      message: expect.stringMatching(/^no certificate for "GPU 01": a name has small letters/),
    });
  });
});

describe("identityOf", () => {
  it("reads back what was issued, for every name and role", async () => {
    const names = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
    const property = fc.asyncProperty(
      names,
      names,
      fc.constantFrom("daemon" as const, "client" as const),
      async (meshId, name, role) => {
        const leaf = await issued({ meshId, name, role });
        expect(identityOf(leaf)).toEqual({ meshId, role, name });
        expect(identityOf(leaf.raw)).toEqual({ meshId, role, name });
      },
    );
    await fc.assert(property, { numRuns: 25 });
  });

  it("finds none in the authority, and none in bytes that are no certificate", () => {
    expect(identityOf(new X509Certificate(authority.certificatePem))).toBeNull();
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(identityOf(bytes)).toBeNull();
      }),
    );
  });
});

describe("nodeNameSchema", () => {
  it("takes DNS labels and nothing else", () => {
    for (const name of ["a", "0", "gpu-01", "a--b", "x".repeat(63)])
      expect(nodeNameSchema.safeParse(name).success).toBe(true);
    for (const name of ["", "-a", "a-", "A", "a.b", "a/b", "a b", "a\n", "é", "x".repeat(64)]) {
      expect(nodeNameSchema.safeParse(name).success).toBe(false);
    }
  });
});

function withLastByteChanged(pem: string): string {
  const der = Buffer.from(pem.replace(/-----[^-]+-----/g, ""), "base64");
  der[der.length - 1]! ^= 1;
  return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
}
