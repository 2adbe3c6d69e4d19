import "reflect-metadata";
import {
  createHash,
  createPrivateKey,
  KeyObject,
  randomBytes,
  webcrypto,
  X509Certificate,
} from "node:crypto";
import * as x509 from "@peculiar/x509";
import { anyDaemonServerName, daemonServerName, identityUri, type Identity } from "./identity.ts";
import { meshIdSchema, nodeNameSchema } from "./names.ts";

export { identityOf, type Identity, type Role } from "./identity.ts";
export { nodeNameSchema } from "./names.ts";

/** A mesh's certificate authority. Whoever holds `privateKeyPem` can make members of the mesh. */
export type Authority = {
  readonly certificatePem: string;
  /** PKCS#8. */
  readonly privateKeyPem: string;
  /** SHA-256 of the SubjectPublicKeyInfo in base64url (43 characters): what a join token pins. */
  readonly spkiDigest: string;
};

/** A new key (PKCS#8) and the PKCS#10 request that proves its possession. Only the request leaves the machine. */
export type KeyAndRequest = {
  readonly privateKeyPem: string;
  readonly requestPem: string;
};

export type IssueOptions = Identity & {
  /** PKCS#10, PEM. Only its public key is used: who it is for is said by the mesh, in the other fields. */
  readonly requestPem: string;
  readonly days: number;
  readonly now: Date;
};

export type IssueResult =
  | { readonly kind: "issued"; readonly certificatePem: string; readonly notAfter: Date }
  | { readonly kind: "fault"; readonly message: string };

const authorityYears = 20;
const requestCharactersMax = 8192;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Certificates start in the past, so that a node whose clock is behind accepts them at once. */
const backdateMs = hourMs;

const signing = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
/** DER of the AlgorithmIdentifier {ecPublicKey, prime256v1}, the only key kind that is certified (RFC 5480, 2.1.1). */
const p256Algorithm = Buffer.from("301306072a8648ce3d020106082a8648ce3d030107", "hex");

/** Makes the P-256 authority of a new mesh, valid for 20 years. Throws where `meshId` is not a mesh id. */
export async function createAuthority(meshId: string, now = new Date()): Promise<Authority> {
  const name = `CN=gpumesh authority ${meshIdSchema.parse(meshId)}`;
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name,
    keys,
    signingAlgorithm: signing,
    serialNumber: randomSerial(),
    notBefore: new Date(now.getTime() - backdateMs),
    notAfter: new Date(now.getTime() + authorityYears * 365.25 * dayMs),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const certificatePem = pemOf(certificate);
  return {
    certificatePem,
    privateKeyPem: privateKeyPemOf(keys.privateKey),
    spkiDigest: spkiDigestOf(new X509Certificate(certificatePem)),
  };
}

/**
 * Certifies the key of a request for `days` days, from one hour before `now`.
 *
 * A daemon may serve and call (DNS names `<name>.daemon.gpumesh` and `daemon.gpumesh`, both extended key usages); a
 * client may only call. Name, role and mesh are the caller's word: nothing in the request but its key is believed,
 * and its self-signature must prove the possession of that key. A fault is one line for whoever sent the request.
 */
export async function issueCertificate(authority: Authority, options: IssueOptions): Promise<IssueResult> {
  const { meshId, name, role, days, now } = options;
  const named = nodeNameSchema.safeParse(name);
  if (!named.success)
    return fault(
      `no certificate for ${JSON.stringify(name)}: ${named.error.issues[0]?.message ?? "it is no name"}`,
    );
  const request = await verifiedRequest(options.requestPem);
  if (request.kind === "fault") return request;

  const issuer = new x509.X509Certificate(authority.certificatePem);
  const notAfter = new Date(now.getTime() + days * dayMs);
  const uri = {
    type: "url",
    value: identityUri({ meshId: meshIdSchema.parse(meshId), role, name }),
  } as const;
  const dns = [daemonServerName(name), anyDaemonServerName].map((value) => ({ type: "dns", value }) as const);
  const usages = [
    x509.ExtendedKeyUsage.clientAuth,
    ...(role === "daemon" ? [x509.ExtendedKeyUsage.serverAuth] : []),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: issuer.subject,
    publicKey: request.publicKey,
    signingKey: await importPrivateKey(authority.privateKeyPem),
    signingAlgorithm: signing,
    serialNumber: randomSerial(),
    notBefore: new Date(now.getTime() - backdateMs),
    notAfter,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(usages),
      new x509.SubjectAlternativeNameExtension(role === "daemon" ? [...dns, uri] : [uri]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(request.publicKey),
    ],
  });
  return { kind: "issued", certificatePem: pemOf(certificate), notAfter };
}

/** Makes a P-256 key and a request for it. `name` is a label for people only: the issuer decides who it is for. */
export async function createKeyAndRequest(name: string): Promise<KeyAndRequest> {
  const keys = await newKeys();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: `CN=${nodeNameSchema.parse(name)}`,
    keys,
    signingAlgorithm: signing,
  });
  return { privateKeyPem: privateKeyPemOf(keys.privateKey), requestPem: pemOf(request) };
}

/** SHA-256 of a certificate's SubjectPublicKeyInfo in base64url, as join tokens pin it (RFC 7469, 2.4). */
export function spkiDigestOf(certificate: X509Certificate): string {
  return createHash("sha256")
    .update(certificate.publicKey.export({ type: "spki", format: "der" }))
    .digest("base64url");
}

type VerifiedRequest =
  | { readonly kind: "verified"; readonly publicKey: x509.PublicKey }
  | { readonly kind: "fault"; readonly message: string };

async function verifiedRequest(requestPem: string): Promise<VerifiedRequest> {
  if (requestPem.length > requestCharactersMax) {
    return fault(
      `the certificate request is longer than ${requestCharactersMax} characters; send a P-256 request`,
    );
  }
  try {
    const request = new x509.Pkcs10CertificateRequest(requestPem);
    if (!Buffer.from(request.publicKey.rawData).includes(p256Algorithm)) {
      return fault("the certificate request is not for a P-256 key; make a new key and request");
    }
    if (await request.verify()) return { kind: "verified", publicKey: request.publicKey };
  } catch {
    // The parser's own words name ASN.1 fields, which say nothing to whoever made the request.
    return fault("the certificate request cannot be read; send a PKCS#10 request in PEM");
  }
  return fault("the certificate request is not signed with its own key; make a new key and request");
}

function fault(message: string): { readonly kind: "fault"; readonly message: string } {
  return { kind: "fault", message };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(signing, true, ["sign", "verify"]);
}

function importPrivateKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(pem).export({ type: "pkcs8", format: "der" });
  return webcrypto.subtle.importKey("pkcs8", der, signing, false, ["sign"]);
}

function privateKeyPemOf(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: "pkcs8", format: "pem" }).toString();
}

/** The library ends a PEM without a line feed; with one, a chain is the plain concatenation of its certificates. */
function pemOf(data: x509.X509Certificate | x509.Pkcs10CertificateRequest): string {
  return `${data.toString("pem")}\n`;
}

/** 127 random bits as positive hexadecimal: unguessable and unique without a counter (RFC 5280, 4.1.2.2). */
function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}
