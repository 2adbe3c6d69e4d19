import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandOf, type TestDaemon } from "../cluster/test-daemon.ts";
import { TestMesh } from "../cluster/test-mesh.ts";
import { repositoryRoot, systemPython } from "../machine.ts";
import { ancestorsOf, Hosts } from "./hosts.ts";

const port = 7480;
const nodes = ["n1", "n2", "n3"];
const allreduce = join(repositoryRoot, "test/cluster/jobs/allreduce.py");
/** What a launcher could take for a remote shell. On the hosts each is a trap that tells of its use. */
const remoteShells = ["/usr/bin/ssh", "/usr/bin/rsh", "/usr/bin/slogin", "/usr/sbin/sshd"];

describe("MPI over three hosts without ssh", () => {
  let hosts: Hosts;
  let mesh: TestMesh;
  let folder = "";
  let sprung = "";
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "gm-trap-"));
    const trap = join(folder, "trap");
    sprung = join(folder, "sprung");
    writeFileSync(trap, `#!/bin/sh\necho "$0 $*" >>${sprung}\nexit 1\n`, { mode: 0o755 });
    hosts = Hosts.make(3);
    mesh = await TestMesh.start({
      daemons: 3,
      slots: 2,
      host: (number) => hosts.address(number),
      wrap: (number) => hosts.wrap(number, remoteShells, trap),
      clientAddress: (daemon) => hosts.door(Number(daemon.name.slice(1)), port, daemon.folder),
    });
  });
  afterAll(async () => {
    await mesh?.stop();
    hosts?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it("the hosts know each other by names of their own", async () => {
    const found = await mesh.client.nodes();
    expect(found.map(({ name, address }) => [name, address])).toEqual(
      nodes.map((name, index) => [name, `${hosts.address(index + 1)}:${port}`]),
    );
    expect(found.every(({ interfaces }) => interfaces.some(({ cidr }) => cidr === "10.77.0.0/24"))).toBe(
      true,
    );
  });

  it("an allreduce of two ranks on each host has the right sum, and every daemon started its own", async () => {
    const finish = join(mesh.dir, "allreduce.finish");
    const id = await mesh.submit({
      name: "allreduce",
      nodeCount: 3,
      slotsPerNode: 2,
      customMpiSettings: { commandLine: `exec ${systemPython} ${allreduce} ${finish}`, processCount: 6 },
    });
    await mesh.until(async () => ranksOf(finish).length === 6, "six ranks", 90_000);

    for (const daemon of mesh.daemons) {
      const own = ranksOf(finish).filter((pid) => ancestorsOf(pid).includes(daemon.pid));
      expect(own).toHaveLength(2);
      for (const pid of own) expect(ancestorsOf(pid).map(commandOf).some(isShimOf(daemon, id))).toBe(true);
      expect(ledgerOf(daemon, id)).toMatchObject({ kind: "started", job: id });
    }
    // mpirun runs on the head alone, which needs no remote shell to reach itself.
    expect(mesh.daemons.map((daemon) => commandsOf(daemon, id))).toEqual([
      ["task-0"],
      [expect.stringMatching(/^rsh-[0-9a-f]{16}$/)],
      [expect.stringMatching(/^rsh-[0-9a-f]{16}$/)],
    ]);
    const hostFile = readFileSync(join(mesh.daemon("n1").folder, `jobs/${id}.1/hostfile`), "utf8");
    expect(hostFile).toBe("host-1 slots=2\nn2 slots=2\nn3 slots=2\n");
    const names = hosts.processes().map((pid) => commandOf(pid).split("\0", 1)[0] ?? "");
    expect(names.filter((name) => /\b(?:ssh|sshd|rsh)$/.test(name) && !name.endsWith("gpumesh-rsh"))).toEqual(
      [],
    );

    writeFileSync(finish, "");
    const job = await mesh.succeeded(id);
    expect(job.attempts).toHaveLength(1);
    expect((await mesh.log(id)).trimEnd().split("\n").toSorted()).toEqual([
      "rank 0 of 6 on n1 at host-1 sum 21",
      "rank 1 of 6 on n1 at host-1 sum 21",
      "rank 2 of 6 on n2 at host-2 sum 21",
      "rank 3 of 6 on n2 at host-2 sum 21",
      "rank 4 of 6 on n3 at host-3 sum 21",
      "rank 5 of 6 on n3 at host-3 sum 21",
    ]);
    for (const daemon of mesh.daemons) expect(ledgerOf(daemon, id)).toMatchObject({ kind: "stopped" });
    expect(existsSync(sprung)).toBe(false);
  });

  it("gpumesh-rsh reaches the nodes of its attempt, with its token, and no others", async () => {
    const id = await mesh.submit({
      name: "rsh",
      nodeCount: 2,
      slotsPerNode: 1,
      customToolkitSettings: {
        commandLine: [
          `gpumesh-rsh n2 'echo "at $(hostname) as $GPUMESH_NODE"; exit 6'; echo "own: $?"`,
          `gpumesh-rsh n3 true; echo "outside: $?"`,
          `GPUMESH_ATTEMPT_TOKEN=no-such-token-at-all gpumesh-rsh n2 true; echo "wrong token: $?"`,
          `GPUMESH_JOB_ID=${await firstJob()} gpumesh-rsh n2 true; echo "another job: $?"`,
        ].join("\n"),
      },
    });
    const job = await mesh.succeeded(id);
    expect(job.attempts[0]?.parts.map(({ node }) => node)).toEqual(["n1", "n2"]);
    expect(await mesh.log(id)).toBe(
      "at host-2 as n2\nown: 6\noutside: 255\nwrong token: 255\nanother job: 255\n",
    );
    expect((await mesh.log(id, "stderr")).trimEnd().split("\n")).toEqual([
      "gpumesh-rsh: n3: n3 is not a node of this job attempt; its nodes are n1, n2",
      `gpumesh-rsh: n2: no attempt ${id}.1 with that token runs on this node`,
      "gpumesh-rsh: n2: no attempt 1.1 with that token runs on this node",
    ]);
    expect(commandsOf(mesh.daemon("n3"), id)).toEqual([]);
  });

  /** A job that has ended: its attempt's records are still there. */
  async function firstJob(): Promise<number> {
    return (await mesh.client.jobs()).jobs.at(-1)?.id ?? 0;
  }

  /** The ranks of the allreduce, wherever they run. */
  function ranksOf(finish: string): readonly number[] {
    return hosts.processes().filter((pid) => commandOf(pid) === `${systemPython}\0${allreduce}\0${finish}\0`);
  }
});

function isShimOf({ folder }: TestDaemon, job: number): (command: string) => boolean {
  return (command) => command.includes("shim.sh") && command.includes(`${folder}/executor/parts/${job}.1/`);
}

function ledgerOf({ folder }: TestDaemon, job: number): unknown {
  return JSON.parse(readFileSync(join(folder, `ledger/${job}.1.json`), "utf8"));
}

/** The commands of that job that the daemon's executor was asked to start. */
function commandsOf({ folder }: TestDaemon, job: number): readonly string[] {
  const path = join(folder, `executor/parts/${job}.1/commands`);
  return existsSync(path) ? readdirSync(path) : [];
}
