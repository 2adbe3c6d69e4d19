import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { clientHelloBytesMax, readServerName } from "./client-hello.ts";
import { captureHello } from "./listener.fixture.ts";

const recordHeaderBytes = 5;
const hellos = new Map<string, Buffer>();

beforeAll(async () => {
  hellos.set("named", await captureHello({ servername: "Alpha.daemon.gpumesh", ALPNProtocols: ["h2"] }));
  hellos.set("tls12", await captureHello({ servername: "join.gpumesh", maxVersion: "TLSv1.2" }));
  hellos.set("unnamed", await captureHello({ servername: "" }));
});

function hello(which: "named" | "tls12" | "unnamed"): Buffer {
  const bytes = hellos.get(which);
  if (bytes === undefined) throw new Error(`no hello ${which} was captured`);
  return bytes;
}

/** The same handshake message in records of `size` payload bytes each, as RFC 8446, 5.1 allows. */
function refragmented(bytes: Buffer, size: number): Buffer {
  const message = bytes.subarray(recordHeaderBytes);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const payload = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, payload.length >> 8, payload.length & 0xff]), payload);
  }
  return Buffer.concat(records);
}

describe("readServerName on hellos of node:tls", () => {
  it("finds the name, in small letters, or that there is none", () => {
    expect(readServerName(hello("named"))).toEqual({ kind: "name", name: "alpha.daemon.gpumesh" });
    expect(readServerName(hello("tls12"))).toEqual({ kind: "name", name: "join.gpumesh" });
    expect(readServerName(hello("unnamed"))).toEqual({ kind: "none" });
  });

  it("needs more for every shorter prefix", () => {
    for (const bytes of hellos.values()) {
      for (let length = 0; length < bytes.length; length += 1) {
        expect(readServerName(bytes.subarray(0, length))).toEqual({ kind: "need-more" });
      }
    }
  });

  it("reads one that is split over records, and needs more for each of its prefixes", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 600 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (size, part) => {
          const bytes = refragmented(hello("named"), size);
          expect(readServerName(bytes)).toEqual({ kind: "name", name: "alpha.daemon.gpumesh" });
          const prefix = bytes.subarray(0, Math.floor(part * (bytes.length - 1)));
          expect(readServerName(prefix)).toEqual({ kind: "need-more" });
        },
      ),
    );
  });

  it("looks at nothing after it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.integer({ min: 1, max: 600 }), (after, size) => {
        const bytes = Buffer.concat([refragmented(hello("named"), size), after]);
        expect(readServerName(bytes)).toEqual({ kind: "name", name: "alpha.daemon.gpumesh" });
      }),
    );
  });

  it("never throws, and keeps its word, when bytes of one are changed", () => {
    const changes = fc.array(fc.tuple(fc.nat(600), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(changes, (list) => {
        const bytes = Buffer.from(hello("named"));
        for (const [at, value] of list) bytes[at % bytes.length] = value;
        const result = readServerName(bytes);
        if (result.kind === "name") expect(result.name).toMatch(/^[a-z0-9_.-]{1,255}$/);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("readServerName on other bytes", () => {
  it("never throws, and once it says not-tls no further byte changes that", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 50 }), (bytes, more) => {
        const first = readServerName(bytes);
        if (first.kind === "not-tls") {
          expect(readServerName(Buffer.concat([bytes, more]))).toEqual({ kind: "not-tls" });
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("never throws on bytes that start as a handshake record does", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (rest) => {
        const bytes = Buffer.concat([
          Buffer.from([22, 3, 1, rest.length >> 8, rest.length & 0xff, 1, 0, 0]),
          rest,
        ]);
        expect(["name", "none", "need-more", "not-tls"]).toContain(readServerName(bytes).kind);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["an HTTP request", "474554202f"],
    ["an HTTP/2 preface", "505249202a20"],
    ["a TLS alert", "15030100020228"],
    ["a handshake record of SSL 2", "16020000"],
    ["an empty record", "1603010000"],
    ["a ServerHello", "160301000402000000"],
    ["a hello of 16 MiB", "160301000401ffffff"],
  ])("tells %s from a hello", (_name, hex) => {
    expect(readServerName(Buffer.from(hex, "hex"))).toEqual({ kind: "not-tls" });
  });

  it("stops asking for more at its limit", () => {
    const oneByteRecord = Buffer.from([22, 3, 1, 0, 1, 0]);
    const head = refragmented(
      Buffer.concat([Buffer.alloc(recordHeaderBytes), Buffer.from([1, 0, 0x3f, 0x00])]),
      4,
    );
    const endless = Buffer.concat([
      head,
      ...Array.from({ length: clientHelloBytesMax }, () => oneByteRecord),
    ]);
    expect(readServerName(endless.subarray(0, clientHelloBytesMax - 1))).toEqual({ kind: "need-more" });
    expect(readServerName(endless.subarray(0, clientHelloBytesMax))).toEqual({ kind: "not-tls" });
  });
});
