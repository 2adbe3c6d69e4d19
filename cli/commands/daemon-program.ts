import { spawn } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";

/** The commands that the daemon's own program carries out, and what it calls them. */
const DAEMON_COMMANDS: Readonly<Record<string, { readonly verb: string; readonly about: string }>> = {
  init: { verb: "init", about: "make a new mesh on this machine" },
  join: { verb: "join", about: "join this machine to a mesh: join TOKEN --advertise THIS-MACHINE" },
  up: { verb: "dev", about: "start a mesh of several daemons on this machine: up --dev 3" },
};

/** Of the group `mesh`; it reads and changes a data folder, with no daemon running. */
const RECOVER = "recover";

const program = fileURLToPath(new URL("../../daemon/main.ts", import.meta.url));

/** Shows the one command of the group `mesh` that the daemon's program carries out. */
export function addRecoverCommand(group: Command): void {
  addToHelp(group, RECOVER, "go on with one survivor after a majority was lost for good: recover --data DIR");
}

/** Shows the commands in the help. They are carried out before any argument is read: see `daemonArguments`. */
export function addDaemonCommands(root: Command): void {
  for (const [name, { about }] of Object.entries(DAEMON_COMMANDS)) addToHelp(root, name, about);
}

function addToHelp(parent: Command, name: string, about: string): void {
  parent
    .command(name)
    .description(about)
    .argument("[arguments...]")
    .allowUnknownOption()
    .helpOption(false)
    .action((_: unknown, __: unknown, command: Command) =>
      command.error(`error: "${name}" and its arguments must come first: gpumesh ... ${name} ...`),
    );
}

/** What the daemon's program is to be started with, or null when the command is not one of its own. */
export function daemonArguments(argv: readonly string[]): readonly string[] | null {
  const [name = "", ...rest] = argv;
  if (name === "mesh" && rest[0] === RECOVER) return rest;
  const found = Object.hasOwn(DAEMON_COMMANDS, name) ? DAEMON_COMMANDS[name] : undefined;
  return found === undefined ? null : [found.verb, ...rest];
}

/**
 * Runs the daemon's program with this process's streams, and gives its exit code. Ctrl-C reaches it through the
 * terminal, so this process only waits; a TERM is passed on.
 */
export function runDaemonProgram(words: readonly string[], script: string = program): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...words], { stdio: "inherit" });
    const wait = (): void => undefined;
    const passOn = (): void => void child.kill("SIGTERM");
    process.on("SIGINT", wait);
    process.on("SIGTERM", passOn);
    const settled = (): void => {
      process.off("SIGINT", wait);
      process.off("SIGTERM", passOn);
    };
    child.once("error", (error) => {
      settled();
      reject(error);
    });
    child.once("exit", (code, signal) => {
      settled();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
