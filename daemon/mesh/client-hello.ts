/**
 * What the first bytes of a connection say about the TLS server name (SNI) that the client asks for.
 * `need-more`: so far these are the first bytes of a ClientHello. `not-tls`: no continuation can make them one.
 */
export type ServerNameResult =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "none" }
  | { readonly kind: "need-more" }
  | { readonly kind: "not-tls" };

/** No ClientHello longer than this is read, records and all. Those with post-quantum key shares have about 2 KiB. */
export const clientHelloBytesMax = 16 * 1024;

const recordHeaderBytes = 5;
const recordPayloadBytesMax = 16 * 1024;
const handshakeHeaderBytes = 4;
const handshakeRecord = 22;
const tlsMajorVersion = 3;
const clientHelloMessage = 1;
const randomBytesLength = 32;
const serverNameExtension = 0;
const hostNameType = 0;
/** One more than a DNS name may have, so that a longer one fails the pattern instead of being cut to fit. */
const hostNameBytesMax = 256;
const hostNamePattern = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,253}[A-Za-z0-9_])?$/;

const needMore: ServerNameResult = { kind: "need-more" };
const notTls: ServerNameResult = { kind: "not-tls" };

/**
 * Reads the server name of a ClientHello (RFC 8446, 4.1.2 and 5.1; RFC 6066, 3) from the first bytes of a connection.
 * It never throws, never looks past the ClientHello, and copies only a message that is split over several records.
 */
export function readServerName(bytes: Uint8Array): ServerNameResult {
  const message = handshakeBytes(bytes);
  if (message === null) return notTls;
  if (message.length > 0 && message[0] !== clientHelloMessage) return notTls;
  if (message.length < handshakeHeaderBytes) return moreOrNot(bytes);
  const length = messageLength(message);
  if (length > clientHelloBytesMax) return notTls;
  return message.length < length
    ? moreOrNot(bytes)
    : serverNameOf(message.subarray(handshakeHeaderBytes, length));
}

function moreOrNot(bytes: Uint8Array): ServerNameResult {
  return bytes.length < clientHelloBytesMax ? needMore : notTls;
}

/**
 * The handshake bytes in the records so far, up to the end of the record that completes the first message; null where
 * a record cannot be part of a ClientHello.
 */
function handshakeBytes(bytes: Uint8Array): Uint8Array | null {
  let joined: Uint8Array | null = null;
  let message: Uint8Array = bytes.subarray(0, 0);
  let at = 0;
  while (at < bytes.length && message.length < messageLength(message)) {
    if (bytes[at] !== handshakeRecord) return null;
    if (at + 1 < bytes.length && bytes[at + 1] !== tlsMajorVersion) return null;
    if (at + recordHeaderBytes > bytes.length) break;
    const length = bigEndian(bytes.subarray(at + 3, at + 5));
    if (length === 0 || length > recordPayloadBytesMax) return null;
    const payload = bytes.subarray(at + recordHeaderBytes, at + recordHeaderBytes + length);
    at += recordHeaderBytes + length;
    if (message.length === 0) {
      message = payload;
      continue;
    }
    if (joined === null) {
      joined = new Uint8Array(bytes.length);
      joined.set(message);
    }
    joined.set(payload, message.length);
    message = joined.subarray(0, message.length + payload.length);
  }
  return message;
}

/** The length of the handshake message that starts here, header included; unbounded while the header is not whole. */
function messageLength(message: Uint8Array): number {
  if (message.length < handshakeHeaderBytes) return Infinity;
  return handshakeHeaderBytes + bigEndian(message.subarray(1, 4));
}

/** Reads the extensions of a whole ClientHello; any field that runs over its frame makes it none. */
function serverNameOf(body: Uint8Array): ServerNameResult {
  const hello = new Fields(body);
  hello.skip(2 + randomBytesLength);
  hello.vector(1);
  hello.vector(2);
  hello.vector(1);
  if (hello.failed) return notTls;
  if (hello.done) return { kind: "none" };
  const extensions = hello.vector(2);
  if (hello.failed || !hello.done) return notTls;
  while (!extensions.done) {
    const type = extensions.number(2);
    const data = extensions.vector(2);
    if (extensions.failed) return notTls;
    if (type === serverNameExtension) return hostNameOf(data);
  }
  return { kind: "none" };
}

function hostNameOf(extension: Fields): ServerNameResult {
  const list = extension.vector(2);
  const type = list.number(1);
  const name = list.vector(2).text();
  const wellFormed = !extension.failed && extension.done && !list.failed && type === hostNameType;
  return wellFormed && hostNamePattern.test(name) ? { kind: "name", name: name.toLowerCase() } : notTls;
}

/** Reads big-endian fields in turn. Past its end it only sets `failed` and gives zeros and empty vectors. */
class Fields {
  readonly #bytes: Uint8Array;
  #at = 0;
  #failed = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get failed(): boolean {
    return this.#failed;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  skip(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) {
      this.#failed = true;
      this.#at = this.#bytes.length;
      return new Uint8Array(0);
    }
    const field = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return field;
  }

  number(length: 1 | 2): number {
    return bigEndian(this.skip(length));
  }

  /** A field that starts with its own length, itself of `lengthBytes` bytes. */
  vector(lengthBytes: 1 | 2): Fields {
    return new Fields(this.skip(this.number(lengthBytes)));
  }

  text(): string {
    return String.fromCharCode(...this.#bytes.subarray(0, hostNameBytesMax));
  }
}

/** The unsigned number that these bytes are, the highest first; 0 for no bytes. */
function bigEndian(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
