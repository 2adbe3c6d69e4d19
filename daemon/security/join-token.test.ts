import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatJoinToken,
  hashSecret,
  newTokenSecret,
  parseJoinToken,
  secretMatches,
  type JoinToken,
} from "./join-token.ts";

const token: JoinToken = {
  address: "gpu-01.example.com:7480",
  digest: "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
  id: "k3v9",
  secret: "AAECAwQFBgcICQoLDA0ODw",
};

/** Any text that stands for so many bytes. */
function base64url(bytes: number): fc.Arbitrary<string> {
  return fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map((array) => Buffer.from(array).toString("base64url"));
}

function faultOf(text: string): string {
  const result = parseJoinToken(text);
  if (result.kind !== "fault") throw new Error(`${text} was read as a token`);
  return result.message;
}

describe("a join token", () => {
  it("is one word, and is read back", () => {
    const text = formatJoinToken(token);
    expect(text).toBe(
      "gpumesh1/gpu-01.example.com:7480/47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU/k3v9/AAECAwQFBgcICQoLDA0ODw",
    );
    expect(parseJoinToken(` ${text}\n`)).toEqual({ kind: "token", token });
  });

  it("is read back for every address, digest, id and secret", () => {
    const host = fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map((address) => `[${address}]`),
    );
    const tokens = fc.record({
      address: fc.tuple(host, fc.integer({ min: 1, max: 65_535 })).map(([name, port]) => `${name}:${port}`),
      digest: base64url(32),
      id: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
      secret: base64url(16),
    });
    fc.assert(
      fc.property(tokens, (value) => {
        expect(parseJoinToken(formatJoinToken(value))).toEqual({ kind: "token", token: value });
      }),
    );
  });

  it("takes an IPv6 address in brackets", () => {
    const local = { ...token, address: "[::1]:7480" };
    expect(parseJoinToken(formatJoinToken(local))).toEqual({ kind: "token", token: local });
  });

  it.each([
    ["nothing", "", 'does not start with "gpumesh1/"'],
    [
      "another version",
      formatJoinToken(token).replace("gpumesh1", "gpumesh2"),
      'does not start with "gpumesh1/"',
    ],
    ["a cut token", formatJoinToken(token).slice(0, 60), "five parts"],
    ["two tokens", `${formatJoinToken(token)}/${formatJoinToken(token)}`, "five parts"],
    [
      "a bare IPv6 address",
      formatJoinToken({ ...token, address: "::1:7480" }),
      'address "::1:7480" is not host:port',
    ],
    ["no port", formatJoinToken({ ...token, address: "gpu-01" }), "is not host:port"],
    ["port 0", formatJoinToken({ ...token, address: "gpu-01:0" }), "is not host:port"],
    ["port 65536", formatJoinToken({ ...token, address: "gpu-01:65536" }), "is not host:port"],
    ["a short digest", formatJoinToken({ ...token, digest: "abc" }), "not a digest of 43 characters"],
    ["an id with a space", formatJoinToken({ ...token, id: "a b" }), "not a token id"],
    ["a cut secret", formatJoinToken(token).slice(0, -1), "not a secret of 22 characters"],
    ["a novel", "gpumesh1/".padEnd(513, "x"), "longer than 512 characters"],
  ])("refuses %s in one line that keeps the secret", (_name, text, why) => {
    const message = faultOf(text);
    expect(message).toContain(why);
    expect(message).toContain("copy the whole token again");
    expect(message).not.toContain("\n");
    expect(message).not.toContain(token.secret.slice(0, -1));
  });

  it("never throws, whatever the text", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((rest) => `gpumesh1/${rest}`),
        ),
        (text) => {
          expect(["token", "fault"]).toContain(parseJoinToken(text).kind);
        },
      ),
    );
  });
});

describe("a token's secret", () => {
  it("has 128 bits and is never the same", () => {
    const secrets = Array.from({ length: 64 }, newTokenSecret);
    expect(new Set(secrets).size).toBe(secrets.length);
    for (const secret of secrets) expect(Buffer.from(secret, "base64url")).toHaveLength(16);
  });

  it("matches its own hash only", () => {
    const secret = newTokenSecret();
    expect(secretMatches(secret, hashSecret(secret))).toBe(true);
    expect(secretMatches(newTokenSecret(), hashSecret(secret))).toBe(false);
    expect(secretMatches(secret, secret)).toBe(false);
    expect(secretMatches(secret, "")).toBe(false);
    expect(secretMatches("", hashSecret(secret))).toBe(false);
  });

  it("is hashed with SHA-256", () => {
    // The digest of "abc" in FIPS 180-2, appendix B.1.
    const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    expect(Buffer.from(hashSecret("abc"), "base64url").toString("hex")).toBe(abc);
  });
});
