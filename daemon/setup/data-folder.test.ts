import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Member } from "../mesh/directory.ts";
import type { DaemonConfig } from "./data-folder.ts";
import { checkConfig, DataFolder, SetupError } from "./data-folder.ts";

const config: DaemonConfig = {
  meshId: "m1",
  name: "node-1",
  advertise: "127.0.0.1:7480",
  pool: "default",
  spot: false,
  failureDomain: null,
  slots: null,
};
const members: readonly Member[] = [{ name: "node-1", number: 1, address: "a:1", raftRole: "voter" }];
const founding = {
  authority: { certificatePem: "certificate", privateKeyPem: "key" },
  token: { id: "t1", secretHash: "hash", expiresAt: 1 },
};

let dir: string;
let folder: DataFolder;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "gm-folder-"));
  folder = new DataFolder(join(dir, "data"));
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe("a data folder", () => {
  it("that was never set up holds nothing", () => {
    expect([folder.readConfig(), folder.readDirectory(), folder.readFounding()]).toEqual([null, null, null]);
  });

  it("gives back what was written, and keeps it from others", async () => {
    await folder.writeConfig(config);
    await folder.writeDirectory("m1", members);
    await folder.writeFounding(founding);
    expect(folder.readConfig()).toEqual(config);
    expect(folder.readDirectory()).toEqual({ meshId: "m1", members });
    expect(folder.readFounding()).toEqual(founding);
    expect(statSync(folder.path).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(folder.path))
      expect(statSync(join(folder.path, file)).mode & 0o777, file).toBe(0o600);
    await folder.removeFounding();
    await folder.removeFounding();
    expect(folder.readFounding()).toBeNull();
  });

  it("keeps the newest directory, whichever way it was written", async () => {
    await folder.writeDirectory("m1", []);
    folder.writeDirectoryNow("m1", members);
    expect(folder.readDirectory()?.members).toEqual(members);
    expect(readdirSync(folder.path)).toEqual(["directory.json"]);
  });

  const damaged: readonly [string, string, string][] = [
    ["daemon.json", "", "JSON"],
    ["daemon.json", "{", "JSON"],
    ["daemon.json", JSON.stringify({ ...config, advertise: "nowhere" }), "advertise"],
    ["daemon.json", JSON.stringify({ ...config, colour: "red" }), "colour"],
    ["directory.json", JSON.stringify({ meshId: "m1", members: [{ name: "x" }] }), "members.0"],
    ["founding.json", "[]", "object"],
  ];
  for (const [file, text, said] of damaged) {
    it(`whose ${file} is ${JSON.stringify(text.slice(0, 30))} names it and what to do, in one line`, async () => {
      await folder.create();
      writeFileSync(join(folder.path, file), text);
      const read = (): unknown => [folder.readConfig(), folder.readDirectory(), folder.readFounding()];
      expect(read).toThrow(SetupError);
      expect(read).toThrow(join(folder.path, file));
      expect(read).toThrow(said);
      expect(read).toThrow(/^[^\n]*join again[^\n]*$/);
    });
  }
});

describe("a configuration", () => {
  it("that a daemon can have passes", () => {
    expect(() => checkConfig(config)).not.toThrow();
    expect(() => checkConfig({ ...config, advertise: "[::1]:7480", slots: 4 })).not.toThrow();
  });

  const faults: readonly [Partial<DaemonConfig>, string][] = [
    [{ name: "Node_1" }, 'name "Node_1" can not be used'],
    [{ name: "" }, 'name "" can not be used'],
    [{ advertise: "host" }, 'advertise "host" can not be used: is not host:port'],
    [{ advertise: "host:0" }, "is not host:port"],
    [{ pool: "my pool" }, 'pool "my pool" can not be used: has 1 to 64'],
    [{ slots: 0 }, "slots 0 can not be used"],
    [{ slots: 1e6 }, "slots 1000000 can not be used"],
  ];
  for (const [change, said] of faults) {
    it(`with ${JSON.stringify(change)} is refused in one line`, () => {
      const check = (): void => checkConfig({ ...config, ...change });
      expect(check).toThrow(SetupError);
      expect(check).toThrow(said);
      expect(check).toThrow(/^[^\n]*$/);
    });
  }
});
