import { spawn, spawnSync, type ChildProcess, type SpawnSyncReturns } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { untilOrThrow } from "../cluster/test-daemon.ts";

const relayProgram = fileURLToPath(import.meta.resolve("./relay.ts"));
const startMsMax = 20_000;

/**
 * Several hosts on this machine: network namespaces with an address and a host name of their own, joined by a bridge
 * that stands in a namespace too, so that nothing of the machine's own network is touched.
 */
export class Hosts {
  readonly #prefix = `gm${process.pid}`;
  readonly #names: string[] = [];
  readonly #relays: ChildProcess[] = [];
  readonly #doors: Server[] = [];

  /** Makes them. Leaves nothing behind when it throws. */
  static make(count: number): Hosts {
    const hosts = new Hosts();
    try {
      hosts.#make(count);
      return hosts;
    } catch (error) {
      hosts.remove();
      throw error;
    }
  }

  /** The address of a host, numbered from 1. */
  address(number: number): string {
    return `10.77.0.${number}`;
  }

  /**
   * The command line that runs another one on that host, where each of `hidden` (a program's path, if it exists) is
   * replaced by the script `trap`. Only that command and its descendants see it so.
   */
  wrap(number: number, hidden: readonly string[] = [], trap = ""): readonly string[] {
    const binds = hidden.filter((path) => existsSync(path)).map((path) => `mount --bind ${trap} ${path}`);
    const script = [`hostname host-${number}`, ...binds, 'exec "$@"'].join(" && ");
    return [...inNamespace(this.#host(number)), "unshare", "--uts", "sh", "-c", script, "sh"];
  }

  /** All processes on the hosts. */
  processes(): readonly number[] {
    return this.#names.flatMap((name) =>
      run("ip", "netns", "pids", name).split("\n").filter(Boolean).map(Number),
    );
  }

  /** Opens a port of this machine's loopback that leads to a port of that host. Resolves with `host:port`. */
  async door(number: number, port: number, folder: string): Promise<string> {
    const path = join(folder, `door-${number}`);
    const words = [process.execPath, relayProgram, path, this.address(number), String(port)];
    const [program = "", ...args] = [...inNamespace(this.#host(number)), ...words];
    const relay = spawn(program, args, { stdio: "inherit" });
    this.#relays.push(relay);
    await untilOrThrow(
      () => existsSync(path),
      startMsMax,
      () => `the relay to host ${number} listens`,
    );
    const door = createServer((near) => {
      const far = connect(path);
      near.on("error", () => far.destroy()).on("close", () => far.destroy());
      far.on("error", () => near.destroy()).on("close", () => near.destroy());
      near.pipe(far).pipe(near);
    });
    this.#doors.push(door);
    await new Promise<void>((done) => door.listen(0, "127.0.0.1", done));
    const address = door.address();
    if (typeof address !== "object" || address === null) throw new Error("a door has no port");
    return `127.0.0.1:${address.port}`;
  }

  /** Removes all of it. The processes on the hosts must have been ended, but for the relays. */
  remove(): void {
    for (const door of this.#doors) door.close();
    for (const relay of this.#relays) relay.kill("SIGKILL");
    // With its namespace goes each end of a link, and with that the other end.
    for (const name of this.#names) tryToRun("ip", "netns", "delete", name);
  }

  #make(count: number): void {
    const bridge = this.#add("br");
    run("ip", "-n", bridge, "link", "add", "br0", "type", "bridge");
    run("ip", "-n", bridge, "link", "set", "br0", "up");
    for (let number = 1; number <= count; number += 1) {
      const host = this.#add(`h${number}`);
      const port = `p${number}`;
      run("ip", "-n", host, "link", "set", "lo", "up");
      run("ip", "-n", host, "link", "add", "eth0", "type", "veth", "peer", "name", port, "netns", bridge);
      run("ip", "-n", host, "address", "add", `${this.address(number)}/24`, "dev", "eth0");
      run("ip", "-n", host, "link", "set", "eth0", "up");
      run("ip", "-n", bridge, "link", "set", port, "master", "br0", "up");
    }
  }

  #add(suffix: string): string {
    const name = `${this.#prefix}-${suffix}`;
    run("ip", "netns", "add", name);
    this.#names.push(name);
    return name;
  }

  #host(number: number): string {
    return `${this.#prefix}-h${number}`;
  }
}

/** The parents of a process, its own first, up to the first process of the machine. */
export function ancestorsOf(pid: number): readonly number[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  return parent > 0 ? [parent, ...ancestorsOf(parent)] : [];
}

function inNamespace(name: string): readonly string[] {
  return ["ip", "netns", "exec", name];
}

function run(program: string, ...words: readonly string[]): string {
  const { status, stdout, stderr } = tryToRun(program, ...words);
  if (status !== 0) throw new Error(`${[program, ...words].join(" ")} exited with ${status}: ${stderr}`);
  return stdout;
}

function tryToRun(program: string, ...words: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(program, words, { encoding: "utf8" });
}
