import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nodeId } from "../model/ids.ts";
import { launchInput, network } from "./launch-scenario.ts";
import { launchPart } from "./launch.ts";
import type { PartLaunch } from "./launch.ts";
import { hostNames } from "./mpi.ts";
import { quoteWord } from "./shell.ts";

/**
 * What this room gives to a real mpirun: three nodes on this machine, of which only the head's name resolves. The
 * remote shell is a script that gives each node its own environment, as a daemon does.
 */
const openMpi = spawnSync("mpirun", ["--version"], { encoding: "utf8" }).stdout ?? "";

describe.skipIf(!openMpi.includes("Open MPI"))("mpirun (skipped where no Open MPI is installed)", () => {
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "gml-"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it.each([
    ["names that do not resolve", ["gm1", "gm2", "gm3"]],
    ["a node with the head's hostname", ["gm1", hostname().toLowerCase(), "gm3"]],
  ])("starts a rank on each node by the remote shell, in that node's own environment: %s", (_, nodes) => {
    const result = run(root, nodes);
    expect(result.stderr).toBe("");
    expect(result.status).toBe(0);
    expect(result.stdout.trimEnd().split("\n").toSorted()).toEqual(
      nodes.map(
        (node, rank) => `${rank}/3 ${node} ${root}/${rank} ${root}/${rank}/tmp GPU-${rank} it's "so" $x`,
      ),
    );
    const calls = readFileSync(join(root, "calls"), "utf8").trimEnd().split("\n");
    expect(calls.toSorted()).toEqual(result.hosts.slice(1).toSorted());
  });
});

function run(root: string, nodes: readonly string[]) {
  const loopback = network("lo", "127.0.0.1", "127.0.0.0/8");
  const parts = nodes.map((node, index) => ({
    node: nodeId(node),
    hostname: hostname(),
    network: loopback,
    gpus: [`GPU-${index}`],
  }));
  const commandLine = `echo "$OMPI_COMM_WORLD_RANK/$OMPI_COMM_WORLD_SIZE $GPUMESH_NODE $PWD $TMPDIR $CUDA_VISIBLE_DEVICES $SAY"`;
  const scenario = {
    toolkit: { kind: "customMpi", commandLine, processCount: nodes.length },
    nodes: nodes.length,
    parts,
    spec: { environment: [{ name: "SAY", value: `it's "so" $x` }] },
  } as const;
  const hosts = hostNames(launchInput(scenario).attempt.parts);
  const launches = nodes.map((_, index) => {
    const paths = {
      attemptDir: join(root, String(index)),
      rshProgram: join(root, "rsh"),
      path: process.env["PATH"] ?? "",
      home: root,
    };
    return prepared(root, String(hosts[index]), launchPart({ ...launchInput(scenario, index), paths }));
  });
  writeFileSync(join(root, "rsh"), remoteShell(root), { mode: 0o755 });
  const head = launches[0]?.tasks[0];
  const [program, ...args] = head?.argv ?? [];
  const options = {
    cwd: join(root, "0"),
    env: head?.environment,
    encoding: "utf8",
    timeout: 15_000,
  } as const;
  return { ...spawnSync(String(program), args, options), hosts };
}

function prepared(root: string, host: string, launch: ReturnType<typeof launchPart>): PartLaunch {
  if (launch.kind === "refused") throw new Error(launch.reason);
  for (const directory of launch.directories) mkdirSync(directory, { recursive: true });
  for (const { path, content, mode } of launch.files) writeFileSync(path, content, { mode });
  const variables = Object.entries(launch.environment).map(([name, value]) => `${name}=${quoteWord(value)}`);
  writeFileSync(
    join(root, `env-${host}`),
    `cd ${quoteWord(launch.workingDirectory)}\nexec env -i ${variables.join(" ")} /bin/sh -c "$1"\n`,
  );
  return launch;
}

/** As ssh: options, a host, then words that are joined for the other side's shell. */
function remoteShell(root: string): string {
  return `#!/bin/sh
while [ "\${1#-}" != "$1" ]; do shift; done
host=$1
shift
echo "$host" >> ${root}/calls
exec /bin/sh ${root}/env-$host "$*"
`;
}
