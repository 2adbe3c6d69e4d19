import { describe, expect, it } from "vitest";
import { pinComplaints, registryComplaints, resolvedComplaints } from "./packages.ts";

describe("pinComplaints", () => {
  it.each(["^1.2.3", "~1.2.3", "1.2", "*", "latest", ">=1.0.0", "file:../x"])(
    "forbids the version %s",
    (version) => {
      const [complaint] = pinComplaints(manifest({ pino: version }), lockfile({ pino: version }));
      expect(complaint).toMatchObject({
        path: "package.json",
        what: expect.stringContaining(`"${version}"`),
      });
      expect(complaint?.remedy).toContain("npm install --save-exact pino");
    },
  );

  it.each(["1.2.3", "1.2.3-rc.1"])("takes %s", (version) => {
    expect(pinComplaints(manifest({ pino: version }), lockfile({ pino: version }))).toEqual([]);
  });

  it("looks at development and optional dependencies too", () => {
    const packageJson = JSON.stringify({
      devDependencies: { a: "^1.0.0" },
      optionalDependencies: { b: "^1.0.0" },
    });
    const what = pinComplaints(packageJson, lockfile({ a: "^1.0.0", b: "^1.0.0" })).map(
      (complaint) => complaint.what,
    );
    expect(what).toEqual([expect.stringContaining("a is wanted"), expect.stringContaining("b is wanted")]);
  });

  it("finds a lockfile that was left behind", () => {
    expect(
      pinComplaints(manifest({ pino: "1.2.4", zod: "1.0.0" }), lockfile({ pino: "1.2.3", zod: "1.0.0" })),
    ).toEqual([
      {
        path: "package-lock.json",
        what: "pino is 1.2.3, but 1.2.4 in package.json",
        remedy: "Run npm install and commit package-lock.json",
      },
    ]);
  });
});

describe("resolvedComplaints", () => {
  it("finds the address a package came from", () => {
    const packageLock = JSON.stringify({
      packages: {
        "": {},
        "node_modules/a": { version: "1.0.0", resolved: "x" },
        "node_modules/b": { version: "1.0.0" },
      },
    });
    expect(resolvedComplaints(packageLock).map(({ what }) => what)).toEqual([
      'node_modules/a has a "resolved" address',
    ]);
  });
});

describe("registryComplaints", () => {
  it("finds a well-known registry", () => {
    const text = `\n"registry": "https://${npmRegistry}/"`;
    expect(registryComplaints({ path: ".npmrc", text }, undefined)).toMatchObject([
      { line: 2, what: `names the package registry ${npmRegistry}` },
    ]);
  });

  it("finds the registry of this machine", () => {
    const text = `curl http://packages.example.test:8080/x`;
    expect(
      registryComplaints({ path: "install.sh", text }, "http://packages.example.test:8080/npm/"),
    ).toMatchObject([{ what: "names the package registry packages.example.test:8080" }]);
    expect(registryComplaints({ path: "install.sh", text }, undefined)).toEqual([]);
  });
});

/** In parts, so that the search for it does not find this file. */
const npmRegistry = ["registry", "npmjs", "org"].join(".");

function manifest(dependencies: Record<string, string>): string {
  return JSON.stringify({ dependencies });
}

function lockfile(dependencies: Record<string, string>): string {
  return JSON.stringify({ packages: { "": { dependencies } } });
}
