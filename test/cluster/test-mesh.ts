import { randomInt } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectMesh, type Job, type LogStreamName, type Mesh } from "../../cli/client/client.ts";
import { TestDaemon, untilOrThrow } from "./test-daemon.ts";

/** Of every daemon; they differ by address. */
const port = 7480;
const waitMsMax = 60_000;

export interface TestMeshOptions {
  readonly daemons: number;
  /** CPU slots of each daemon; the number of CPUs by default. */
  readonly slots?: number;
  /** The pool of each daemon, numbered from 1; all in one by default. */
  readonly pool?: (number: number) => string;
  /** More environment for one daemon, e.g. a PATH with a fake nvidia-smi first. */
  readonly environment?: (number: number) => Readonly<Record<string, string>>;
  /** A command line to put before one daemon's, e.g. to run it in a network namespace. */
  readonly wrap?: (number: number) => readonly string[];
  /** The host of each daemon; by default a loopback address that no other mesh has. */
  readonly host?: (number: number) => string;
  /** Where the client reaches the daemon; at its address by default. */
  readonly clientAddress?: (daemon: TestDaemon) => Promise<string>;
}

/** A mesh of real daemons on this machine, made through init and join, for the length of one test file. */
export class TestMesh {
  /** Holds everything of the mesh, and whatever a test adds; removed with it. */
  readonly dir: string;
  readonly daemons: readonly TestDaemon[];
  /** The client's context, with the addresses of all daemons. */
  readonly contextDir: string;
  readonly client: Mesh;
  /** The join token that `init` printed. */
  readonly token: string;

  private constructor(parts: {
    dir: string;
    daemons: readonly TestDaemon[];
    contextDir: string;
    client: Mesh;
    token: string;
  }) {
    this.dir = parts.dir;
    this.daemons = parts.daemons;
    this.contextDir = parts.contextDir;
    this.client = parts.client;
    this.token = parts.token;
  }

  /** Resolves once all daemons are idle and the voters are chosen. Leaves nothing behind when it rejects. */
  static async start(options: TestMeshOptions): Promise<TestMesh> {
    const dir = mkdtempSync(join(tmpdir(), "gm-"));
    const daemons: TestDaemon[] = [];
    try {
      const contextDir = join(dir, "context");
      const token = await setUp(options, dir, contextDir, daemons);
      await writeAddresses(contextDir, daemons, options);
      const client = await connectMesh({ context: contextDir });
      const mesh = new TestMesh({ dir, daemons, contextDir, client, token });
      await mesh.untilWhole();
      return mesh;
    } catch (error) {
      await endAll(daemons, dir);
      throw error;
    }
  }

  /** The daemon that leads now. */
  async leader(): Promise<TestDaemon> {
    let found: TestDaemon | undefined;
    await this.until(async () => {
      const { leader } = await this.client.status();
      found = this.daemons.find((daemon) => daemon.name === leader);
      return found !== undefined;
    }, "a leader");
    if (found === undefined) throw new Error("no daemon leads");
    return found;
  }

  /** The leader, after restarts of leaders until it is one of these. All daemons are idle then. */
  async leaderAmong(names: readonly string[]): Promise<TestDaemon> {
    for (;;) {
      const leader = await this.leader();
      if (names.includes(leader.name)) return leader;
      await leader.kill();
      await this.untilAnotherLeads(leader);
      await leader.start();
      await this.untilWhole();
    }
  }

  async untilAnotherLeads(old: TestDaemon): Promise<void> {
    await this.until(async () => {
      const { leader } = await this.client.status();
      return leader !== "" && leader !== old.name;
    }, `another leader than ${old.name}`);
  }

  daemon(name: string): TestDaemon {
    const found = this.daemons.find((daemon) => daemon.name === name);
    if (found === undefined) throw new Error(`there is no daemon ${name}`);
    return found;
  }

  /** Submits a job given as a document; fails on any fault. */
  async submit(job: Readonly<Record<string, unknown>>): Promise<number> {
    const result = await this.client.submit(JSON.stringify(job));
    if (result.kind === "faults") throw new Error(`the job is refused: ${JSON.stringify(result.faults)}`);
    return result.jobId;
  }

  /** The job once it has succeeded; when it ends otherwise, fails with all that is known of it. */
  async succeeded(id: number): Promise<Job> {
    const job = await this.client.wait(id, { signal: AbortSignal.timeout(waitMsMax) }).catch(async () => {
      const now = await this.client.job(id);
      throw new Error(`job ${id} is still ${now.state}: ${JSON.stringify(now.attempts)}\n${this.logs()}`);
    });
    if (job.state === "succeeded") return job;
    const stderr = await this.log(id, "stderr").catch(String);
    throw new Error(`job ${id} ${job.state}: ${job.reason}\n${stderr}\n${this.logs()}`);
  }

  /** The job once it is in this state. */
  async inState(id: number, state: string): Promise<Job> {
    for await (const job of this.client.watch(id, { signal: AbortSignal.timeout(waitMsMax) }))
      if (job.state === state) return job;
    throw new Error(`job ${id} ended without having been ${state}\n${this.logs()}`);
  }

  /** All bytes of one stream of the job's newest attempt, its commands one after the other. */
  async log(id: number, stream: LogStreamName = "stdout"): Promise<string> {
    const texts = new Map<string, string>();
    for await (const piece of this.client.logs(id, { stream })) {
      if (piece.kind === "lost") throw new Error(`the log of ${piece.command} is lost: ${piece.reason}`);
      texts.set(piece.command, (texts.get(piece.command) ?? "") + Buffer.from(piece.data).toString());
    }
    return [...texts.entries()]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, text]) => text)
      .join("");
  }

  /** Waits until all daemons are idle and the voters are chosen. */
  async untilWhole(): Promise<void> {
    const voters = this.daemons.length >= 5 ? 5 : this.daemons.length >= 3 ? 3 : 1;
    await this.until(async () => {
      const [nodes, status] = await Promise.all([this.client.nodes(), this.client.status()]);
      const idle = nodes.filter((node) => node.state === "idle").length;
      return idle === this.daemons.length && status.voters.length === voters;
    }, "all daemons to be idle and the voters to be chosen");
  }

  /** Waits until it holds; after `msMax` it fails with every daemon's log. */
  async until(holds: () => Promise<boolean> | boolean, what: string, msMax = waitMsMax): Promise<void> {
    await untilOrThrow(holds, msMax, () => `${what}\n${this.logs()}`);
  }

  logs(): string {
    return this.daemons.map((daemon) => `== ${daemon.name}\n${daemon.log()}`).join("\n");
  }

  /** Ends every process of the mesh and removes its folders. */
  async stop(): Promise<void> {
    this.client.close();
    await endAll(this.daemons, this.dir);
  }
}

/** Makes the daemons one after the other and starts them; gives the join token. */
async function setUp(
  options: TestMeshOptions,
  dir: string,
  contextDir: string,
  daemons: TestDaemon[],
): Promise<string> {
  let token = "";
  const network = `127.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  for (let number = 1; number <= options.daemons; number += 1) {
    const host = options.host?.(number) ?? `${network}.${number}`;
    const daemon = new TestDaemon({
      name: `n${number}`,
      address: `${host}:${port}`,
      folder: join(dir, `n${number}`),
      wrap: options.wrap?.(number) ?? [],
      environment: options.environment?.(number) ?? {},
    });
    daemons.push(daemon);
    const slots = options.slots === undefined ? [] : ["--slots", String(options.slots)];
    const pool = options.pool === undefined ? [] : ["--pool", options.pool(number)];
    const place = ["--no-start", "--data", daemon.folder, "--name", daemon.name];
    const common = [...place, "--advertise", daemon.address, ...slots, ...pool];
    if (number === 1) {
      const output = await daemon.run("init", ...common, "--context-dir", contextDir);
      token = /gpumesh1\/\S+/.exec(output)?.[0] ?? "";
    } else {
      await daemon.run("join", token, ...common, "--context-dir", join(daemon.folder, "context"));
    }
    await daemon.start();
  }
  return token;
}

async function writeAddresses(
  contextDir: string,
  daemons: readonly TestDaemon[],
  options: TestMeshOptions,
): Promise<void> {
  const path = join(contextDir, "context.json");
  const context = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  const addresses: string[] = [];
  for (const daemon of daemons) addresses.push((await options.clientAddress?.(daemon)) ?? daemon.address);
  writeFileSync(path, JSON.stringify({ ...context, addresses }));
}

async function endAll(daemons: readonly TestDaemon[], dir: string): Promise<void> {
  await Promise.all(daemons.map((daemon) => daemon.killNode()));
  await Promise.all(daemons.map((daemon) => daemon.removeTraces()));
  rmSync(dir, { recursive: true, force: true });
}
