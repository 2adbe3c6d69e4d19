import { z } from "zod";
import { lineAt, type Complaint, type SourceFile } from "./source-file.ts";

const Versions = z.record(z.string(), z.string()).default({});
const Dependencies = z.object({
  dependencies: Versions,
  devDependencies: Versions,
  optionalDependencies: Versions,
});
type Dependencies = z.infer<typeof Dependencies>;
const Lockfile = z.object({
  packages: z.record(
    z.string(),
    z.looseObject({ version: z.string().optional(), resolved: z.string().optional() }),
  ),
});

/** Dependencies of package.json that are not pinned to one version, or that package-lock.json does not agree with. */
export function pinComplaints(packageJson: string, packageLock: string): readonly Complaint[] {
  const wanted = dependenciesOf(JSON.parse(packageJson));
  const locked = dependenciesOf(Lockfile.parse(JSON.parse(packageLock)).packages[""]);
  const loose = [...wanted]
    .filter(([, version]) => !exactVersion.test(version))
    .map(([name, version]) => ({
      path: "package.json",
      what: `${name} is wanted as "${version}", which is no exact version`,
      remedy: `Run npm install --save-exact ${name}`,
    }));
  const drifted = [...new Set([...wanted.keys(), ...locked.keys()])]
    .filter((name) => wanted.get(name) !== locked.get(name))
    .map((name) => ({
      path: "package-lock.json",
      what: `${name} is ${locked.get(name) ?? "absent"}, but ${wanted.get(name) ?? "absent"} in package.json`,
      remedy: "Run npm install and commit package-lock.json",
    }));
  return [...loose, ...drifted];
}

/** Packages whose lockfile entry names the place it was fetched from. */
export function resolvedComplaints(packageLock: string): readonly Complaint[] {
  return Object.entries(Lockfile.parse(JSON.parse(packageLock)).packages)
    .filter(([, { resolved }]) => resolved !== undefined)
    .map(([name]) => ({
      path: "package-lock.json",
      what: `${name} has a "resolved" address`,
      remedy: "Delete it; .npmrc sets omit-lockfile-registry-resolved, so npm install leaves it out",
    }));
}

/**
 * Package registries named in `file`: the well-known ones and `ownRegistry`, the address that npm uses on this machine
 * (npm hands it to scripts as npm_config_registry).
 */
export function registryComplaints(file: SourceFile, ownRegistry: string | undefined): readonly Complaint[] {
  const own = ownRegistry !== undefined && URL.canParse(ownRegistry) ? new URL(ownRegistry).host : "";
  const offset = own === "" ? -1 : file.text.indexOf(own);
  const found = offset >= 0 ? { host: own, offset } : knownRegistry(file.text);
  if (!found) return [];
  return [
    {
      path: file.path,
      line: lineAt(file.text, found.offset),
      what: `names the package registry ${found.host}`,
      remedy: "Leave the choice of registry to the configuration of the machine",
    },
  ];
}

function knownRegistry(text: string): { readonly host: string; readonly offset: number } | undefined {
  const found = /(?:registry\.(?:npmjs|yarnpkg)|npm\.pkg\.github|files\.pythonhosted)\.(?:com|org)/.exec(
    text,
  );
  return found ? { host: found[0], offset: found.index } : undefined;
}

const exactVersion = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;

function dependenciesOf(packageJson: unknown): ReadonlyMap<string, string> {
  const { dependencies, devDependencies, optionalDependencies }: Dependencies =
    Dependencies.parse(packageJson);
  return new Map(Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }));
}
