import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { note, type Action, type Bind, type Cli, type GlobalOptions } from "./cli.ts";
import { addDaemonCommands, daemonArguments, runDaemonProgram } from "./commands/daemon-program.ts";
import { addJobCommands } from "./commands/job.ts";
import { addJoinTokenCommand } from "./commands/join-token.ts";
import { addMeshCommands } from "./commands/mesh.ts";
import { addNodeCommands } from "./commands/node.ts";
import { addRunCommand } from "./commands/run.ts";
import { addStatusCommand } from "./commands/status.ts";
import { EXIT, exitCodeOfError } from "./exit-code.ts";

/** Runs `gpumesh` with these arguments and gives its exit code; what went wrong is told on stderr. */
export async function runCli(cli: Cli, argv: readonly string[]): Promise<number> {
  const forDaemon = daemonArguments(argv);
  if (forDaemon !== null) return runDaemonProgram(forDaemon);
  let exitCode: number = EXIT.ok;
  const bind = <Options>(command: Command, action: Action<Options>): void => {
    addGlobalOptions(command).action(async () => {
      const options = { ...DEFAULTS, ...command.optsWithGlobals<Options & GlobalOptions>() };
      exitCode = await action(cli, options, command.args);
    });
  };
  const program = buildProgram(cli, bind);
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    note(cli, `gpumesh: ${error instanceof Error ? error.message : String(error)}`);
    return exitCodeOfError(error);
  }
}

const DEFAULTS: GlobalOptions = { output: "table", timeout: 30 };
const timeoutSecondsMax = 86_400;

function buildProgram(cli: Cli, bind: Bind): Command {
  const program = addGlobalOptions(new Command("gpumesh"))
    .description("jobs on your own GPU VMs")
    .enablePositionalOptions()
    .showHelpAfterError("(--help says more)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void cli.stdout.write(text),
      writeErr: (text) => void cli.stderr.write(text),
    });
  addStatusCommand(program, bind);
  addNodeCommands(program, bind);
  addMeshCommands(program, bind);
  addJobCommands(program, bind);
  addRunCommand(program, bind);
  addJoinTokenCommand(program, bind);
  addDaemonCommands(program);
  return program;
}

/** Every command takes them, and so does `gpumesh` itself, before the command. */
function addGlobalOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--context <folder>",
        "the mesh's context (default: $GPUMESH_CONTEXT, else ~/.config/gpumesh)",
      ),
    )
    .addOption(
      new Option(
        "--output <form>",
        "what is printed; json has the field names of api.proto (default: table)",
      ).choices(["table", "json"]),
    )
    .addOption(
      new Option("--timeout <seconds>", "how long to try when no daemon answers (default: 30)").argParser(
        seconds,
      ),
    );
}

function seconds(text: string): number {
  const value = Number(text);
  if (!/^\d+(?:\.\d+)?$/.test(text) || value > timeoutSecondsMax) {
    throw new InvalidArgumentError(`give seconds, from 0 to ${timeoutSecondsMax}`);
  }
  return value;
}
