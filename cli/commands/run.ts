import { Option, type Command } from "commander";
import { PRIORITIES, type Priority } from "../../scheduler/model/job.ts";
import type { Job, Mesh } from "../client/client.ts";
import { note, withMesh, type Bind, type Cli } from "../cli.ts";
import { CliError, EXIT, exitCodeOfJob } from "../exit-code.ts";
import { copyLogs } from "./copy-logs.ts";
import { describeEnd } from "./describe-job.ts";
import { printFaults } from "./job-file.ts";

export interface RunFlags {
  readonly nodes?: string;
  readonly gpusPerNode?: string;
  readonly slotsPerNode?: string;
  readonly priority?: Priority;
  readonly mpi?: true;
  readonly processes?: string;
  readonly name?: string;
  readonly env?: readonly string[];
}

/** `gpumesh run` */
export function addRunCommand(program: Command, bind: Bind): void {
  const command = program
    .command("run")
    .description("submit a command, show its output, and exit with its exit code")
    .argument("<command...>", "the command; a single word is taken as a line for the shell")
    .passThroughOptions()
    .option("--nodes <number>", "nodes, all at once (default: 1)")
    .option("--gpus-per-node <number>", "GPUs of each node (default: whole nodes)")
    .option("--slots-per-node <number>", "CPU slots of each node (default: whole nodes)")
    .addOption(new Option("--priority <priority>", "who goes first").choices(PRIORITIES))
    .option("--mpi", "start the command as the ranks of an MPI job")
    .option("--processes <number>", "with --mpi: ranks in all (default: one a node)")
    .option("--name <name>", "the job's name (default: the command's)")
    .option(
      "--env <NAME=VALUE>",
      "a variable for the command; may be given again",
      (pair, pairs: readonly string[] | undefined) => [...(pairs ?? []), pair],
    );
  bind<RunFlags>(command, async (cli, options, words) => {
    const jobFile = JSON.stringify(jobDocument(options, words));
    return withMesh(cli, options, async (mesh) => {
      const submitted = await mesh.submit(jobFile);
      if (submitted.kind === "faults") {
        return printFaults(cli, { output: "table" }, { faults: submitted.faults });
      }
      return attend(cli, mesh, submitted.jobId);
    });
  });
}

/** The native job file for a command line. Throws a usage error for what the job file has no words for. */
export function jobDocument(flags: RunFlags, words: readonly string[]): Readonly<Record<string, unknown>> {
  const commandLine = words.length === 1 ? words[0] : words.map(shellWord).join(" ");
  if (flags.processes !== undefined && flags.mpi !== true) {
    throw new CliError("--processes is for --mpi: give both, or neither", EXIT.usage);
  }
  const processCount = numberOf("--processes", flags.processes);
  const optional = {
    nodeCount: numberOf("--nodes", flags.nodes),
    gpusPerNode: numberOf("--gpus-per-node", flags.gpusPerNode),
    slotsPerNode: numberOf("--slots-per-node", flags.slotsPerNode),
    schedulingPriority: flags.priority,
  };
  return {
    name: flags.name ?? nameOf(words[0] ?? ""),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    environmentVariables: (flags.env ?? []).map(variable),
    ...(flags.mpi === true
      ? { customMpiSettings: { commandLine, ...(processCount === undefined ? {} : { processCount }) } }
      : { customToolkitSettings: { commandLine } }),
  };
}

/** Shows how the job goes until it has ended; the first Ctrl-C cancels it, the second leaves. */
async function attend(cli: Cli, mesh: Mesh, jobId: number): Promise<number> {
  note(cli, `job ${jobId} is submitted; Ctrl-C cancels it`);
  let interrupts = 0;
  const left = new AbortController();
  const release = cli.onInterrupt(() => {
    interrupts++;
    if (interrupts > 1) {
      left.abort();
      return;
    }
    note(cli, `\nCancelling job ${jobId}; Ctrl-C again leaves at once.`);
    mesh.cancel(jobId).catch((error: unknown) => {
      if (!left.signal.aborted) note(cli, error instanceof Error ? error.message : String(error));
    });
  });
  const { signal } = left;
  try {
    const [{ lost }, job] = await Promise.all([
      copyLogs(cli, { output: "table" }, mesh, jobId, { follow: true, signal }),
      attendState(cli, mesh, jobId, signal),
    ]);
    note(cli, describeEnd(job));
    if (lost > 0) note(cli, "Some of its output is lost, as said above.");
    return exitCodeOfJob(job);
  } catch (error) {
    if (!signal.aborted) throw error;
    note(cli, `Left; to see what became of it: gpumesh job show ${jobId}`);
    return EXIT.interrupted;
  } finally {
    release();
    left.abort();
  }
}

/** Tells why the job waits, each time that changes, and gives it once it has ended. */
async function attendState(cli: Cli, mesh: Mesh, jobId: number, signal: AbortSignal): Promise<Job> {
  let told = "";
  let timer: NodeJS.Timeout | undefined;
  try {
    let newest: Job | undefined;
    for await (const job of mesh.watch(jobId, { signal })) {
      newest = job;
      clearTimeout(timer);
      if (job.state !== "queued" || job.reason === told) continue;
      timer = setTimeout(() => {
        told = job.reason;
        note(cli, `job ${jobId} waits: ${job.reason}`);
      }, waitToldAfterMs);
    }
    if (newest === undefined) throw new Error(`the watch of job ${jobId} ended before the job`);
    return newest;
  } finally {
    clearTimeout(timer);
  }
}

/** A job that can be placed is placed sooner; nothing is said of its short wait. */
const waitToldAfterMs = 500;

function numberOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) {
    throw new CliError(`${flag} ${JSON.stringify(text)}: give a whole number`, EXIT.usage);
  }
  return Number(text);
}

function variable(pair: string): { readonly name: string; readonly value: string } {
  const at = pair.indexOf("=");
  if (at < 1) throw new CliError(`--env ${JSON.stringify(pair)}: give NAME=VALUE`, EXIT.usage);
  return { name: pair.slice(0, at), value: pair.slice(at + 1) };
}

/** The word as a POSIX shell reads it back. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The program's name as a job's name: letters, digits, "-" and "_". */
function nameOf(word: string): string {
  const program = word.trim().split(/\s/, 1)[0]?.split("/").at(-1) ?? "";
  const name = program.replaceAll(/[^-\w]+/g, "-").slice(0, 64);
  return name === "" || name === "-" ? "job" : name;
}
