import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addressesOf, contextFolder, readContext, updateAddresses } from "./context.ts";
import { makeTestMesh, writeContext, type TestMesh } from "./test-mesh.fixture.ts";

let mesh: TestMesh;
beforeAll(async () => {
  mesh = await makeTestMesh();
});

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gpumesh-context-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const addresses = ["10.0.0.1:7480", "[fe80::1]:7480"];

describe("the context's folder", () => {
  it("is the one given, else that of the environment, else the user's", () => {
    expect(contextFolder("given", { GPUMESH_CONTEXT: "environment" })).toBe("given");
    expect(contextFolder(undefined, { GPUMESH_CONTEXT: "environment" })).toBe("environment");
    expect(contextFolder(undefined, { GPUMESH_CONTEXT: "" })).toBe(join(homedir(), ".config", "gpumesh"));
  });
});

describe("a context", () => {
  it("is read as it was written", async () => {
    writeContext(folder, mesh, addresses);
    expect(await readContext(folder)).toEqual(mesh.context(addresses));
  });

  it("that is not there says how to get one", async () => {
    await expect(readContext(join(folder, "none"))).rejects.toThrow(
      /none holds no context of a mesh; .*"gpumesh init".*"gpumesh join TOKEN"/,
    );
  });

  it.each([
    ["client.key", null, "it is missing"],
    ["context.json", null, "it is missing"],
    ["context.json", "{", "it is not JSON"],
    ["context.json", '{"meshId":"m","addresses":[]}', "addresses: "],
    ["context.json", '{"meshId":"m","addresses":["nowhere"]}', "addresses.0: each is host:port"],
    ["context.json", '{"meshId":"m"}', "addresses: "],
    ["ca.pem", "x", "it is not a certificate in PEM"],
    ["client.pem", "x", "it is not a certificate in PEM"],
    ["client.key", "x", "it is not a private key in PEM"],
  ])("with a broken %s (%j) says what and where", async (name, text, what) => {
    writeContext(folder, mesh, addresses);
    if (text === null) rmSync(join(folder, name));
    else writeFileSync(join(folder, name), text);
    const rejected = expect(readContext(folder)).rejects;
    await rejected.toThrow(`${join(folder, name)}: ${what}`);
    await rejected.toThrow("gpumesh join TOKEN");
  });

  it("with another's key, or after its end, is refused", async () => {
    writeContext(folder, mesh, addresses);
    writeFileSync(join(folder, "client.key"), mesh.daemon.key);
    await expect(readContext(folder)).rejects.toThrow("client.key: it is not the key of");
    writeContext(folder, await makeTestMesh(new Date(Date.now() - 1_000)), addresses);
    await expect(readContext(folder)).rejects.toThrow("client.pem: it ended on");
  });

  it("counts from the replacement that is being moved into place", async () => {
    writeContext(folder, mesh, addresses);
    const next = await makeTestMesh();
    mkdirSync(join(folder, "replacement"));
    writeContext(join(folder, "replacement"), next, ["10.0.0.9:7480"]);
    expect(await readContext(folder)).toEqual(next.context(["10.0.0.9:7480"]));
  });
});

describe("the addresses of a context", () => {
  const written = (): unknown => JSON.parse(readFileSync(join(folder, "context.json"), "utf8"));

  it("are replaced, each once and at most 64", async () => {
    writeContext(folder, mesh, addresses);
    const many = Array.from({ length: 70 }, (_, index) => `10.0.1.${index}:7480`);
    expect(await updateAddresses(folder, ["10.0.1.0:7480", "not an address", ...many])).toBe(true);
    expect(written()).toEqual({ meshId: "test-mesh", addresses: many.slice(0, 64) });
    expect(statSync(join(folder, "context.json")).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).toSorted()).toEqual(["ca.pem", "client.key", "client.pem", "context.json"]);
  });

  it("stay where they are the same, or where there would be none", async () => {
    writeContext(folder, mesh, addresses);
    expect(await updateAddresses(folder, addresses)).toBe(false);
    expect(await updateAddresses(folder, [])).toBe(false);
    expect(written()).toEqual({ meshId: "test-mesh", addresses });
  });

  it("come from the nodes, those that most likely answer first", () => {
    expect(
      addressesOf([
        { address: "a:1", state: "lost", raftRole: "voter" },
        { address: "b:1", state: "idle", raftRole: "client" },
        { address: "", state: "joining", raftRole: "client" },
        { address: "c:1", state: "busy", raftRole: "voter" },
      ]),
    ).toEqual(["c:1", "b:1", "a:1"]);
  });
});
