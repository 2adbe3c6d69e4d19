import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAuthority, createKeyAndRequest, issueCertificate, type Authority, type Role } from "./ca.ts";
import {
  readClientContext,
  readDaemonCredentials,
  writeClientContext,
  writeDaemonCredentials,
  type Credentials,
} from "./credentials-store.ts";

const now = new Date("2026-03-01T12:00:00Z");
let alpha: Credentials;
let renewed: Credentials;
let alice: Credentials;
let foreign: Credentials;
let folder: string;

beforeAll(async () => {
  const authority = await createAuthority("mesh-1", now);
  alpha = await issue(authority, "daemon", "alpha");
  renewed = await issue(authority, "daemon", "alpha");
  alice = await issue(authority, "client", "alice");
  foreign = await issue(await createAuthority("mesh-1", now), "daemon", "alpha");
});

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "gpumesh-credentials-")), "identity");
});

afterEach(async () => {
  await rm(join(folder, ".."), { recursive: true });
});

async function issue(authority: Authority, role: Role, name: string): Promise<Credentials> {
  const { privateKeyPem, requestPem } = await createKeyAndRequest(name);
  const issued = await issueCertificate(authority, {
    meshId: "mesh-1",
    role,
    name,
    requestPem,
    days: 3,
    now,
  });
  if (issued.kind === "fault") throw new Error(issued.message);
  return { authorityPem: authority.certificatePem, certificatePem: issued.certificatePem, privateKeyPem };
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}

describe("a daemon's identity folder", () => {
  it("is absent before it is written", async () => {
    expect(await readDaemonCredentials(folder)).toEqual({ kind: "absent" });
  });

  it("is read back, and only its owner may read it", async () => {
    await writeDaemonCredentials(folder, alpha);
    expect(await readDaemonCredentials(folder)).toEqual({
      kind: "found",
      credentials: alpha,
      identity: { meshId: "mesh-1", role: "daemon", name: "alpha" },
      notAfter: new Date("2026-03-04T12:00:00Z"),
    });
    expect(await modeOf(folder)).toBe(0o700);
    expect((await readdir(folder)).toSorted()).toEqual(["ca.pem", "daemon.key", "daemon.pem"]);
    for (const name of await readdir(folder)) expect(await modeOf(join(folder, name))).toBe(0o600);
  });

  it("is replaced as a whole, whatever an earlier attempt left behind", async () => {
    await writeDaemonCredentials(folder, alpha);
    await mkdir(join(folder, "replacement.draft"));
    await writeFile(join(folder, "replacement.draft", "daemon.pem"), "half a certifi");
    expect(await readDaemonCredentials(folder)).toMatchObject({ kind: "found", credentials: alpha });
    await writeDaemonCredentials(folder, renewed);
    expect(await readDaemonCredentials(folder)).toMatchObject({ kind: "found", credentials: renewed });
    expect((await readdir(folder)).toSorted()).toEqual(["ca.pem", "daemon.key", "daemon.pem"]);
  });

  it.each([
    ["before the first file moved", []],
    ["after the certificate moved", ["daemon.pem"]],
    ["after all files moved", ["ca.pem", "daemon.key", "daemon.pem"]],
  ])("is the new one after a stop %s", async (_name, moved) => {
    await writeDaemonCredentials(folder, alpha);
    await mkdir(join(folder, "replacement"));
    const files = {
      "ca.pem": renewed.authorityPem,
      "daemon.pem": renewed.certificatePem,
      "daemon.key": renewed.privateKeyPem,
    };
    for (const [name, text] of Object.entries(files)) {
      const path = moved.includes(name) ? join(folder, name) : join(folder, "replacement", name);
      await writeFile(path, text, { mode: 0o600 });
    }
    expect(await readDaemonCredentials(folder)).toMatchObject({ kind: "found", credentials: renewed });
    expect((await readdir(folder)).toSorted()).toEqual(["ca.pem", "daemon.key", "daemon.pem"]);
  });

  it.each([
    ["a missing key", "daemon.key", null, "it is missing"],
    ["a damaged authority", "ca.pem", () => "x", "it is not a certificate in PEM"],
    [
      "a damaged certificate",
      "daemon.pem",
      () => "-----BEGIN CERTIFICATE-----\nx",
      "it is not a certificate in PEM",
    ],
    ["a damaged key", "daemon.key", () => "x", "it is not a private key in PEM"],
    ["another key", "daemon.key", () => renewed.privateKeyPem, "it is not the key of"],
    ["another authority", "ca.pem", () => foreign.authorityPem, "did not sign it"],
  ])("names the file and the way out for %s", async (_name, file, text, why) => {
    await writeDaemonCredentials(folder, alpha);
    if (text === null) await rm(join(folder, file));
    else await writeFile(join(folder, file), text());
    const result = await readDaemonCredentials(folder);
    const blamed = why === "did not sign it" ? "daemon.pem" : file;
    expect(result).toEqual({ kind: "fault", message: expect.stringContaining(`${join(folder, blamed)}: `) });
    expect(result).toEqual({ kind: "fault", message: expect.stringContaining(why) });
    expect(result).toEqual({ kind: "fault", message: expect.stringContaining("join the mesh again") });
  });

  it("is refused while others may read the key", async () => {
    await writeDaemonCredentials(folder, alpha);
    const key = join(folder, "daemon.key");
    await chmod(key, 0o640);
    expect(await readDaemonCredentials(folder)).toEqual({
      kind: "fault",
      message: `${key}: others may read it (mode 640); run: chmod 600 ${key}`,
    });
  });

  it("does not take a client's certificate", async () => {
    await writeDaemonCredentials(folder, alice);
    expect(await readDaemonCredentials(folder)).toEqual({
      kind: "fault",
      message: expect.stringContaining("it is not the certificate of a daemon"),
    });
  });
});

describe("a client's context folder", () => {
  const addresses = ["gpu-01:7480", "[::1]:7480"];

  it("is absent before it is written, and read back after", async () => {
    expect(await readClientContext(folder)).toEqual({ kind: "absent" });
    const context = { credentials: alice, meshId: "mesh-1", addresses };
    await writeClientContext(folder, context);
    expect(await readClientContext(folder)).toMatchObject({
      kind: "found",
      context,
      identity: { meshId: "mesh-1", role: "client", name: "alice" },
    });
    expect((await readdir(folder)).toSorted()).toEqual([
      "ca.pem",
      "client.key",
      "client.pem",
      "context.json",
    ]);
    expect(await modeOf(join(folder, "client.key"))).toBe(0o600);
  });

  it.each([
    ["text that is no JSON", "{", "its JSON"],
    ["no addresses", '{"meshId": "mesh-1", "addresses": []}', "addresses"],
    ["an unknown field", '{"meshId": "mesh-1", "addresses": ["a:1"], "x": 1}', '"x"'],
    [
      "another mesh",
      '{"meshId": "mesh-2", "addresses": ["a:1"]}',
      "it is for mesh mesh-2, client.pem for mesh-1",
    ],
  ])("names context.json for %s", async (_name, text, why) => {
    await writeClientContext(folder, { credentials: alice, meshId: "mesh-1", addresses });
    const path = join(folder, "context.json");
    await writeFile(path, text);
    const result = await readClientContext(folder);
    expect(result).toEqual({ kind: "fault", message: expect.stringContaining(`${path}: `) });
    expect(result).toEqual({ kind: "fault", message: expect.stringContaining(why) });
  });

  it("does not write a context without addresses", async () => {
    await expect(
      writeClientContext(folder, { credentials: alice, meshId: "mesh-1", addresses: [] }),
    ).rejects.toThrow();
    expect(await readClientContext(folder)).toEqual({ kind: "absent" });
  });
});
