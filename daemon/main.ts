import "./main/thread-pool.ts";
import "./main/short-pauses.ts";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import { Daemon } from "./main/daemon.ts";
import { ChannelError } from "./mesh/channels.ts";
import { recover } from "./main/recover-command.ts";
import type { RecoverOptions } from "./main/recover-command.ts";
import { LogError } from "./raft/raft-log.ts";
import { nodeNameSchema } from "./security/ca.ts";
import type { DaemonConfig } from "./setup/data-folder.ts";
import { DataFolder, SetupError } from "./setup/data-folder.ts";
import { startDevMesh, stopDevMesh } from "./setup/dev-mesh.ts";
import { initMesh } from "./setup/init.ts";
import { joinMesh } from "./setup/join.ts";
import { startInBackground } from "./setup/start.ts";
import { VERSION } from "./main/version.ts";

/** gpumeshd: the daemon's program. `gpumesh` starts it for what needs a daemon's own code. */

const DEFAULT_PORT = 7480;
const PROGRAM = fileURLToPath(import.meta.url);
/** A storage error or a broken invariant: the supervisor starts the daemon again. */
const EXIT_FATAL = 70;

function log(line: string): void {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
}

function defaultDataDir(): string {
  return process.getuid?.() === 0 ? "/var/lib/gpumesh" : join(homedir(), ".local/share/gpumesh");
}

function defaultName(): string {
  const label =
    hostname()
      .split(".")[0]
      ?.toLowerCase()
      .replaceAll(/[^a-z0-9-]/g, "-") ?? "";
  return nodeNameSchema.safeParse(label).data ?? "node";
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("give a whole number above 0");
  return value;
}

interface NodeOptions {
  readonly data: string;
  readonly advertise: string;
  readonly name: string;
  readonly pool: string;
  readonly spot: boolean;
  readonly failureDomain?: string;
  readonly slots?: number;
  readonly contextDir: string;
  readonly start: boolean;
}

function nodeCommand(name: string): Command {
  return new Command(name)
    .requiredOption(
      "--advertise <host:port>",
      `where others reach this machine (port ${DEFAULT_PORT} by default)`,
    )
    .option("--data <dir>", "data folder of the daemon", defaultDataDir())
    .option("--name <name>", "name of this node, a DNS label", defaultName())
    .option("--pool <pool>", "pool that the node belongs to", "default")
    .option("--spot", "the provider may take this VM away", false)
    .option(
      "--failure-domain <name>",
      "what fails with this machine, e.g. its rack or zone; voters are spread over them",
    )
    .option("--slots <number>", "CPU slots to offer (default: the number of CPUs)", wholeNumber)
    .option("--context-dir <dir>", "where the client's credentials go", join(homedir(), ".config/gpumesh"))
    .option("--no-start", "only set up; start it later with gpumeshd run");
}

function configOf(options: NodeOptions): Omit<DaemonConfig, "meshId"> {
  const hasPort = /:\d+$/.test(options.advertise) && !/^[0-9a-fA-F:]+$/.test(options.advertise);
  const { name, pool, spot } = options;
  const advertise = hasPort ? options.advertise : `${options.advertise}:${DEFAULT_PORT}`;
  const { failureDomain = null, slots = null } = options;
  return { name, advertise, pool, spot, failureDomain, slots };
}

async function started(options: NodeOptions, folder: DataFolder): Promise<void> {
  if (options.start) {
    const pid = await startInBackground(PROGRAM, folder);
    process.stdout.write(`The daemon runs (pid ${pid}); its log is ${folder.logFile}.\n`);
  } else {
    process.stdout.write(`To start the daemon: gpumeshd run --data ${folder.path}\n`);
  }
}

async function init(options: NodeOptions): Promise<void> {
  const folder = new DataFolder(options.data);
  const { contextDir } = options;
  const now = (): number => Date.now();
  const { meshId, token } = await initMesh({ folder, contextDir, now, ...configOf(options) });
  process.stdout.write(`Mesh ${meshId} is made; this node is ${options.name}.\n`);
  await started(options, folder);
  process.stdout.write(
    `\nOn each further machine, within the hour:\n\n  gpumesh join ${token} --advertise THAT-MACHINE\n\n`,
  );
}

async function joinExisting(token: string, options: NodeOptions): Promise<void> {
  const folder = new DataFolder(options.data);
  const { meshId } = await joinMesh({ folder, token, contextDir: options.contextDir, ...configOf(options) });
  process.stdout.write(`${options.name} has joined mesh ${meshId}.\n`);
  await started(options, folder);
}

async function run(options: { readonly data: string }): Promise<void> {
  const onFatal = (error: Error): never => {
    log(`fatal: ${error.message}`);
    process.exit(EXIT_FATAL);
  };
  const daemon = await Daemon.start({ folder: new DataFolder(options.data), log, onFatal });
  const stop = (): void => {
    log("stopping");
    daemon.stop().then(() => process.exit(0), onFatal);
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

interface DevOptions {
  readonly dev: number;
  readonly data: string;
  readonly slots?: number;
  readonly stop: boolean;
}

async function dev(options: DevOptions): Promise<void> {
  if (options.stop) {
    const stopped = await stopDevMesh(options.data);
    process.stdout.write(
      `Stopped ${stopped.length === 0 ? "nothing: no daemon was running" : stopped.join(", ")}.\n`,
    );
    return;
  }
  const { dev: daemons, data: dir, slots = null } = options;
  const mesh = await startDevMesh({ daemons, dir, program: PROGRAM, slots });
  const lines = mesh.daemons.map(({ name, address, pid }) => `  ${name}  ${address}  pid ${pid}`);
  process.stdout.write(
    [
      `${mesh.daemons.length} daemons run:`,
      ...lines,
      "",
      `  export GPUMESH_CONTEXT=${mesh.contextDir}`,
      "",
    ].join("\n"),
  );
}

const program = new Command("gpumeshd").description("the gpumesh daemon").version(VERSION);
program.addCommand(nodeCommand("init").description("make a new mesh").action(init));
program.addCommand(
  nodeCommand("join")
    .description("join a mesh")
    .argument("<token>", "from gpumesh init or join-token")
    .action(joinExisting),
);
program
  .command("run")
  .description("run the daemon in the foreground")
  .option("--data <dir>", "data folder of the daemon", defaultDataDir())
  .action(run);
program
  .command("dev")
  .description("start a mesh of several daemons on this machine")
  .option("--dev <number>", "daemons", wholeNumber, 3)
  .option("--data <dir>", "folder of the development mesh", ".gpumesh-dev")
  .option("--slots <number>", "CPU slots of each daemon", wholeNumber)
  .option("--stop", "stop the daemons of that folder", false)
  .action(dev);

program
  .command("recover")
  .description("a majority of the voters is lost for good: go on with what this stopped member holds")
  .option("--data <dir>", "data folder of the daemon", defaultDataDir())
  .option("-y, --yes", "do it; without this it only shows what the folder holds", false)
  .action(async (options: RecoverOptions) => {
    process.stdout.write(await recover(options, () => Date.now()));
  });

program.parseAsync().catch((error: unknown) => {
  // A system error, such as EACCES, says in its message what was done to which file.
  const fromSystem = error instanceof Error && "syscall" in error;
  const told = [SetupError, ChannelError, LogError].some((kind) => error instanceof kind);
  const expected = error instanceof Error && (told || fromSystem);
  process.stderr.write(
    `gpumeshd: ${expected ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
  );
  process.exit(1);
});
