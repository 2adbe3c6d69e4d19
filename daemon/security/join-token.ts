import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** What a new daemon needs to join: whom to call, whom to believe, and what to show. */
export type JoinToken = {
  /** `host:port` or `[ipv6]:port` of a daemon of the mesh. */
  readonly address: string;
  /** SHA-256 of the authority's SubjectPublicKeyInfo in base64url: checked before anything is sent. */
  readonly digest: string;
  /** Which token of the mesh this is; not secret, it stands in lists and in the audit log. */
  readonly id: string;
  /** 128 random bits in base64url. The mesh keeps only its hash. */
  readonly secret: string;
};

export type JoinTokenResult =
  | { readonly kind: "token"; readonly token: JoinToken }
  | { readonly kind: "fault"; readonly message: string };

const version = "gpumesh1";
const tokenCharactersMax = 512;
const secretBytes = 16;
const digestPattern = /^[A-Za-z0-9_-]{43}$/;
const idPattern = /^[A-Za-z0-9_-]{1,64}$/;
const secretPattern = /^[A-Za-z0-9_-]{22}$/;
const addressPattern =
  /^(?:\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._-]+)?\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?):(\d{1,5})$/;

/** `gpumesh1/<host:port>/<digest>/<id>/<secret>`: one word without quotes or spaces, so that it survives any shell. */
export function formatJoinToken(token: JoinToken): string {
  return [version, token.address, token.digest, token.id, token.secret].join("/");
}

/** Reads what `formatJoinToken` wrote; white space around it is forgiven. A fault never repeats the secret. */
export function parseJoinToken(text: string): JoinTokenResult {
  const word = text.trim();
  if (word.length > tokenCharactersMax) return fault(`it is longer than ${tokenCharactersMax} characters`);
  const [head, address, digest, id, secret, ...rest] = word.split("/");
  if (head !== version) return fault(`it does not start with "${version}/"`);
  if (
    address === undefined ||
    digest === undefined ||
    id === undefined ||
    secret === undefined ||
    rest.length > 0
  ) {
    return fault("it does not have five parts between slashes, so it was cut or joined with other text");
  }
  if (!isAddress(address)) return fault(`its address ${JSON.stringify(address)} is not host:port`);
  if (!digestPattern.test(digest)) return fault("its third part is not a digest of 43 characters");
  if (!idPattern.test(id)) return fault("its fourth part is not a token id");
  if (!secretPattern.test(secret)) return fault("its last part is not a secret of 22 characters");
  return { kind: "token", token: { address, digest, id, secret } };
}

/** A new secret of 128 random bits, in base64url (22 characters). */
export function newTokenSecret(): string {
  return randomBytes(secretBytes).toString("base64url");
}

/**
 * The id and the secret of the token that this request makes: whichever daemon answers, a repeated request gets the same
 * ones. Only who holds the authority's private key can tell them (HMAC-SHA256 as a pseudo-random function).
 */
export function tokenOfRequest(
  authorityKeyPem: string,
  request: { readonly user: string; readonly requestId: string },
): Pick<JoinToken, "id" | "secret"> {
  const purpose = JSON.stringify(["join token", request.user, request.requestId]);
  const bytes = createHmac("sha256", authorityKeyPem).update(purpose, "utf8").digest();
  return {
    id: bytes.subarray(secretBytes, secretBytes + 4).toString("hex"),
    secret: bytes.subarray(0, secretBytes).toString("base64url"),
  };
}

/**
 * What the mesh keeps of a secret: its SHA-256 in base64url. A plain hash is enough, because 128 random bits cannot be
 * guessed; a slow one would only let strangers burn the leader's time.
 */
export function hashSecret(secret: string): string {
  return digestOf(secret).toString("base64url");
}

/** Whether `hash` is that of `secret`, in a time that tells nothing about where they differ. */
export function secretMatches(secret: string, hash: string): boolean {
  const kept = Buffer.from(hash, "base64url");
  const shown = digestOf(secret);
  return kept.length === shown.length && timingSafeEqual(kept, shown);
}

function digestOf(secret: string): Buffer {
  return createHash("sha256").update(secret, "utf8").digest();
}

function isAddress(address: string): boolean {
  const port = Number(addressPattern.exec(address)?.[1] ?? 0);
  return port >= 1 && port <= 65_535;
}

function fault(why: string): JoinTokenResult {
  return {
    kind: "fault",
    message: `this is no join token: ${why}; copy the whole token again, or make a new one on a daemon of the mesh`,
  };
}
