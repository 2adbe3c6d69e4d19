import { Option, type Command } from "commander";
import type { LogsOptions, Mesh } from "../client/client.ts";
import { jobNumber, note, withMesh, type Bind, type Cli, type GlobalOptions } from "../cli.ts";
import { CliError, EXIT } from "../exit-code.ts";
import { copyLogs } from "./copy-logs.ts";

interface LogsFlags {
  readonly follow?: true;
  readonly attempt?: string;
  readonly command?: readonly string[];
  readonly stderrOnly?: true;
  readonly stdoutOnly?: true;
}

/** `gpumesh job logs` */
export function addJobLogsCommand(group: Command, bind: Bind): void {
  const command = group
    .command("logs")
    .description("a job's output: its stdout on stdout, its stderr on stderr")
    .argument("<id>", "the job's number")
    .option("-f, --follow", "go on until the job has ended; Ctrl-C leaves it running")
    .option("--attempt <number>", "only this attempt (default: the newest, with -f also those after it)")
    .option(
      "--command <name>",
      "only this command, e.g. task-0; may be given again",
      (name, names: readonly string[] | undefined) => [...(names ?? []), name],
    )
    .addOption(new Option("--stdout-only", "leave stderr out").conflicts("stderrOnly"))
    .addOption(new Option("--stderr-only", "leave stdout out").conflicts("stdoutOnly"));
  bind<LogsFlags>(command, async (cli, options, [word]) => {
    const id = jobNumber(word);
    const chosen = logsOptions(options);
    return withMesh(cli, options, (mesh) => showLogs(cli, options, mesh, id, chosen));
  });
}

async function showLogs(
  cli: Cli,
  options: GlobalOptions,
  mesh: Mesh,
  id: number,
  chosen: LogsOptions,
): Promise<number> {
  const detached = new AbortController();
  const release = cli.onInterrupt(() => detached.abort());
  try {
    const { lost } = await copyLogs(cli, options, mesh, id, { ...chosen, signal: detached.signal });
    return lost > 0 ? EXIT.failed : EXIT.ok;
  } catch (error) {
    if (!detached.signal.aborted) throw error;
    note(cli, `\nDetached; the job goes on. To follow it again: gpumesh job logs -f ${id}`);
    return EXIT.interrupted;
  } finally {
    release();
  }
}

function logsOptions(flags: LogsFlags): LogsOptions {
  const attempt = flags.attempt === undefined ? undefined : Number(flags.attempt);
  if (attempt !== undefined && (!Number.isInteger(attempt) || attempt < 1)) {
    throw new CliError(`--attempt ${JSON.stringify(flags.attempt)}: give its number, from 1 on`, EXIT.usage);
  }
  return {
    follow: flags.follow === true,
    ...(attempt === undefined ? {} : { attempt }),
    ...(flags.command === undefined ? {} : { commands: flags.command }),
    stream: flags.stdoutOnly === true ? "stdout" : flags.stderrOnly === true ? "stderr" : "both",
  };
}
