import { existsSync, rmSync, writeFileSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createHash, X509Certificate } from "node:crypto";
import { parseAddress } from "../../scheduler/model/address.ts";
import { nodeId, poolId } from "../../scheduler/model/ids.ts";
import type { AddJoinToken, InitialiseMesh } from "../../scheduler/model/command.ts";
import type { NodeFacts } from "../../scheduler/model/node.ts";
import { Agent } from "../agent/agent.ts";
import { ShellSocket } from "../agent/remote-shell/shell-socket.ts";
import type { ApiContext } from "../api/api-context.ts";
import { ProcessExecutor } from "../executor/process-executor.ts";
import { bootClockMs, readBootId } from "../hardware/boot.ts";
import { interfaceOfAddress } from "../hardware/interfaces.ts";
import { readInventory } from "../hardware/inventory.ts";
import { openChannel } from "../mesh/channels.ts";
import type { RaftRole } from "../mesh/directory.ts";
import { Directory } from "../mesh/directory.ts";
import type { Listener } from "../mesh/listener.ts";
import { createListener } from "../mesh/listener.ts";
import { Peers } from "../mesh/peers.ts";
import type { Credentials } from "../security/credentials-store.ts";
import { readDaemonCredentials } from "../security/credentials-store.ts";
import { formatJoinToken } from "../security/join-token.ts";
import { spkiDigestOf } from "../security/ca.ts";
import type { DaemonConfig, DataFolder, Founding } from "../setup/data-folder.ts";
import { SetupError } from "../setup/data-folder.ts";
import { lockDataFolder } from "../setup/lock.ts";
import { VERSION } from "./version.ts";
import { Replica } from "./replica.ts";
import { createServers } from "./servers.ts";

const GPU_READ_TIMEOUT_MS = 30_000;
/** A Unix socket's path must fit the kernel's sockaddr_un. */
const SOCKET_PATH_BYTES_MAX = 100;

export interface RunOptions {
  readonly folder: DataFolder;
  readonly log: (line: string) => void;
  /** The process must end: what it promises can not be kept any more. */
  readonly onFatal: (error: Error) => void;
}

/** One running daemon: every room, built from its configuration and connected. */
export class Daemon {
  readonly #options: RunOptions;
  readonly #config: DaemonConfig;
  readonly #identity: Credentials;
  readonly #directory: Directory;
  readonly #peers: Peers;
  readonly #facts: NodeFacts;
  #replica: Replica | null = null;
  #startingReplica: Promise<void> | null = null;
  #agent: Agent | null = null;
  #listener: Listener | null = null;
  #servers: ReturnType<typeof createServers> | null = null;
  #shell: ShellSocket | null = null;
  #unlock: () => Promise<void> = () => Promise.resolve();
  #stopped = false;

  private constructor(options: RunOptions, config: DaemonConfig, identity: Credentials, facts: NodeFacts) {
    this.#options = options;
    this.#config = config;
    this.#identity = identity;
    this.#facts = facts;
    const members = options.folder.readDirectory()?.members ?? [];
    this.#directory = new Directory(config.meshId, members);
    this.#peers = new Peers(this.#directory, ({ name, address }) =>
      openChannel({ address, peerName: name, identity }),
    );
  }

  /** Starts the daemon of that data folder. Throws SetupError when it can not; nothing is left running then. */
  static async start(options: RunOptions): Promise<Daemon> {
    const { folder } = options;
    const config = folder.readConfig();
    if (config === null)
      throw new SetupError(`${folder.path} is no daemon's data folder. Make a mesh with init, or join one`);
    const unlock = await lockDataFolder(folder);
    let daemon: Daemon | null = null;
    try {
      const credentials = await readDaemonCredentials(folder.identity);
      if (credentials.kind === "fault") throw new SetupError(credentials.message);
      if (credentials.kind === "absent")
        throw new SetupError(`${folder.identity} holds no certificate: remove ${folder.path} and join again`);
      const facts = await readFacts(config, options.log);
      daemon = new Daemon(options, config, credentials.credentials, facts);
      await daemon.#start();
      daemon.#unlock = unlock;
      return daemon;
    } catch (error) {
      await daemon?.stop();
      await unlock();
      throw error;
    }
  }

  /** Stops serving. Jobs go on under their shims, until their lease runs out or a daemon adopts them. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    rmSync(this.#options.folder.readyFile, { force: true });
    this.#agent?.stop();
    await this.#shell?.stop();
    // One that is just being started fails or is there to be stopped.
    await this.#startingReplica?.catch(() => undefined);
    await this.#replica?.stop();
    await this.#listener?.stop();
    this.#servers?.mutual.forceShutdown();
    this.#servers?.joining.forceShutdown();
    this.#peers.stop();
    await this.#unlock();
  }

  async #start(): Promise<void> {
    const { folder, log } = this.#options;
    this.#directory.onChange(() => {
      this.#keepDirectory();
      this.#followRole();
    });
    const socketPath = this.#socketPath();
    await writeRemoteShell(folder, socketPath);
    this.#agent = await Agent.open({
      self: this.#config.name,
      dataDir: folder.path,
      executor: new ProcessExecutor({
        stateDir: folder.executor,
        cgroupBaseName: `gpumesh-${this.#config.meshId}-${this.#config.name}`,
      }),
      peers: this.#peers,
      directory: this.#directory,
      facts: () => this.#facts,
      paths: {
        rshProgram: join(folder.bin, "gpumesh-rsh"),
        path: `${folder.bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
        home: homedir(),
      },
      bootClockMs,
      log,
    });
    const agent = this.#agent;
    this.#shell = new ShellSocket({ agent, peers: this.#peers, self: this.#config.name, path: socketPath });
    await this.#shell.start();
    await this.#startReplica();
    this.#servers = createServers({
      self: this.#config.name,
      context: this.#apiContext(),
      agent,
      replica: () => this.#replica,
      leaderName: () => this.#leaderName(),
      log,
    });
    const address = parseAddress(this.#config.advertise);
    if (address === null) throw new SetupError(`${this.#config.advertise} is not host:port`);
    const { mutual, joining, connectionEnded } = this.#servers;
    this.#listener = createListener({
      ...address,
      identity: this.#identity,
      mutual,
      joining,
      onEndedByPeer: connectionEnded,
      onRefused: (reason, remote) => log(`refused a connection from ${remote}: ${reason}`),
    });
    await this.#listener.start().catch((error: unknown) => {
      this.#listener = null;
      const why = error instanceof Error ? error.message : String(error);
      throw new SetupError(`can not listen on ${this.#config.advertise}: ${why}`);
    });
    agent.start();
    writeFileSync(folder.readyFile, `${this.#config.advertise}\n`);
    log(`serving on ${this.#config.advertise} as ${this.#config.name} of mesh ${this.#config.meshId}`);
  }

  /** Without it on disk this run goes on, and the next one begins with an older one. */
  #keepDirectory(): void {
    try {
      this.#options.folder.writeDirectoryNow(this.#directory.meshId, this.#directory.members());
    } catch (error) {
      this.#options.log(`the directory of the mesh was not written: ${String(error)}`);
    }
  }

  /** A daemon becomes a raft member when the leader's directory says so. */
  #followRole(): void {
    if (this.#startingReplica !== null || this.#stopped) return;
    this.#startReplica().catch((error: unknown) => {
      this.#options.onFatal(error instanceof Error ? error : new Error(String(error)));
    });
  }

  #startReplica(): Promise<void> {
    const self = this.#directory.byName(this.#config.name);
    if (self === undefined || self.raftRole === "client") return Promise.resolve();
    this.#startingReplica = this.#openReplica(self.number, self.raftRole);
    return this.#startingReplica;
  }

  async #openReplica(number: number, role: RaftRole): Promise<void> {
    const { folder, log, onFatal } = this.#options;
    const founding = folder.readFounding();
    // It became a voter by what its log held. With an empty one it would vote against what it has acknowledged.
    if (role === "voter" && founding === null && !existsSync(folder.raft))
      throw new SetupError(
        `${folder.raft} is gone, and this daemon votes by what it holds. ` +
          `Restore it, or remove ${folder.path} and join again under another name`,
      );
    this.#replica = await Replica.start({
      number,
      meshId: this.#config.meshId,
      folder: folder.raft,
      directory: this.#directory,
      openChannel: ({ name, address }) => openChannel({ address, peerName: name, identity: this.#identity }),
      founding: founding === null ? null : this.#firstCommands(founding),
      now: () => Date.now(),
      log,
      onFatal,
    });
    const { store } = this.#replica;
    if (founding === null) return;
    const unwatch = store.watch(() => {
      if (!store.view().tokens.has(founding.token.id)) return;
      unwatch();
      folder.removeFounding().catch((error: unknown) => log(String(error)));
    });
  }

  /** The token is the last of them: once it is committed, the others are too. */
  #firstCommands(founding: Founding): readonly (InitialiseMesh | AddJoinToken)[] {
    const at = Date.now();
    const { meshId } = this.#config;
    const founder = nodeId(this.#config.name);
    return [
      { kind: "initialiseMesh", at, meshId, authority: founding.authority, founder },
      { kind: "addJoinToken", at, ...founding.token },
    ];
  }

  #leaderName(): string | null {
    const number = this.#replica?.store.leadership().leader ?? null;
    const known = number === null ? undefined : this.#directory.byNumber(number);
    return known?.name ?? this.#agent?.leader()?.name ?? null;
  }

  #apiContext(): ApiContext {
    const digest = spkiDigestOf(new X509Certificate(this.#identity.authorityPem));
    return {
      store: () => this.#replica?.store ?? null,
      directory: this.#directory,
      peers: this.#peers,
      now: () => Date.now(),
      version: VERSION,
      joinToken: (parts) => formatJoinToken({ address: this.#config.advertise, digest, ...parts }),
    };
  }

  #socketPath(): string {
    const path = join(this.#options.folder.path, "rsh.sock");
    if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return path;
    const digest = createHash("sha256").update(path).digest("hex").slice(0, 16);
    return `/tmp/gpumesh-rsh-${digest}.sock`;
  }
}

async function readFacts(config: DaemonConfig, log: (line: string) => void): Promise<NodeFacts> {
  const { inventory, problems } = await readInventory({
    timeoutMs: GPU_READ_TIMEOUT_MS,
    ...(config.slots === null ? {} : { slots: config.slots }),
  });
  for (const problem of problems) log(`inventory: ${problem}`);
  const host = parseAddress(config.advertise)?.host ?? "";
  return {
    id: nodeId(config.name),
    address: config.advertise,
    network: interfaceOfAddress(inventory.interfaces, host),
    pool: poolId(config.pool),
    spot: config.spot,
    failureDomain: config.failureDomain,
    bootId: readBootId(),
    version: VERSION,
    inventory,
  };
}

/** The program that mpirun runs in place of ssh: a wrapper that names this daemon's socket and runtime. */
async function writeRemoteShell(folder: DataFolder, socketPath: string): Promise<void> {
  const program = fileURLToPath(new URL("../agent/remote-shell/gpumesh-rsh.ts", import.meta.url));
  const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
  const script = [
    "#!/bin/sh",
    `GPUMESH_RSH_SOCKET=${quote(socketPath)}; export GPUMESH_RSH_SOCKET`,
    `exec ${quote(process.execPath)} ${quote(program)} "$@"`,
    "",
  ].join("\n");
  await mkdir(folder.bin, { recursive: true });
  const path = join(folder.bin, "gpumesh-rsh");
  await writeFile(path, script);
  await chmod(path, 0o755);
}
