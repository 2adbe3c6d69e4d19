import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { X509Certificate } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { spkiDigestOf } from "../security/ca.ts";
import { readClientContext, readDaemonCredentials } from "../security/credentials-store.ts";
import { hashSecret, parseJoinToken } from "../security/join-token.ts";
import { DataFolder, SetupError } from "./data-folder.ts";
import { initMesh } from "./init.ts";
import type { InitOptions } from "./init.ts";

let dir: string;
let options: InitOptions;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "gm-init-"));
  options = {
    folder: new DataFolder(join(dir, "data")),
    contextDir: join(dir, "context"),
    name: "node-1",
    advertise: "127.0.0.1:7480",
    pool: "default",
    spot: false,
    failureDomain: null,
    slots: null,
    now: () => Date.now(),
  };
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe("init", () => {
  it("makes a mesh whose parts belong together", async () => {
    const { folder, contextDir } = options;
    const made = await initMesh(options);
    const daemon = await readDaemonCredentials(folder.identity);
    const client = await readClientContext(contextDir);
    const founding = folder.readFounding();
    const parsed = parseJoinToken(made.token);
    if (daemon.kind !== "found" || client.kind !== "found" || parsed.kind !== "token" || founding === null)
      throw new Error("something is missing");
    const { meshId } = made;
    expect(daemon.identity).toEqual({ meshId, role: "daemon", name: "node-1" });
    expect(client.identity).toEqual({ meshId, role: "client", name: "admin" });
    expect(client.context.addresses).toEqual(["127.0.0.1:7480"]);
    expect(folder.readConfig()).toMatchObject({ meshId, name: "node-1" });
    expect(folder.readDirectory()?.members).toMatchObject([{ name: "node-1", number: 1, raftRole: "voter" }]);
    expect(founding.token).toMatchObject({
      id: parsed.token.id,
      secretHash: hashSecret(parsed.token.secret),
    });
    expect(parsed.token.digest).toBe(spkiDigestOf(new X509Certificate(daemon.credentials.authorityPem)));
    expect(founding.authority.certificatePem).toBe(daemon.credentials.authorityPem);
  });

  it("does not touch a folder that belongs to a mesh", async () => {
    const { meshId } = await initMesh(options);
    await expect(initMesh(options)).rejects.toThrow(`already belongs to node-1 of mesh ${meshId}`);
    expect(options.folder.readConfig()?.meshId).toBe(meshId);
  });

  it("that was interrupted before its last file can be done again, whole", async () => {
    const first = await initMesh(options);
    rmSync(join(options.folder.path, "daemon.json"));
    const second = await initMesh(options);
    expect(second.meshId).not.toBe(first.meshId);
    const daemon = await readDaemonCredentials(options.folder.identity);
    const client = await readClientContext(options.contextDir);
    expect(daemon).toMatchObject({ identity: { meshId: second.meshId } });
    expect(client).toMatchObject({ context: { meshId: second.meshId } });
    expect(options.folder.readDirectory()?.meshId).toBe(second.meshId);
  });

  for (const change of [{ name: "Not A Name" }, { pool: "a b" }, { advertise: "here" }, { slots: -1 }]) {
    it(`with ${JSON.stringify(change)} writes nothing, and says why in one line`, async () => {
      const refused = initMesh({ ...options, ...change });
      await expect(refused).rejects.toThrow(SetupError);
      await expect(refused).rejects.toThrow(/^[^\n]*can not be used[^\n]*$/);
      expect(await readDaemonCredentials(options.folder.identity)).toEqual({ kind: "absent" });
    });
  }
});
