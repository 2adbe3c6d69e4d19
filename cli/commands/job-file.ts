import { readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import type { Command } from "commander";
import type { Job, Mesh } from "../client/client.ts";
import { note, present, print, withMesh, type Bind, type Cli, type GlobalOptions } from "../cli.ts";
import { CliError, EXIT } from "../exit-code.ts";
import { jsonDocument } from "../output/json.ts";
import { visibleLines } from "../output/visible.ts";
import { describeFault, type Fault } from "../../scheduler/model/fault.ts";

/** `gpumesh job validate` and `gpumesh job submit` */
export function addJobFileCommands(group: Command, bind: Bind): void {
  const validate = group.command("validate").description("check a job file; needs no mesh");
  validate.requiredOption("-f, --file <file>", FILE_HELP);
  bind<FileOption>(validate, async (cli, options) => {
    const { parseJobFile } = await import("../../scheduler/jobfile/parse-job-file.ts");
    const parsed = parseJobFile(await readJobFile(cli, options.file));
    if (parsed.kind === "faults") return printFaults(cli, options, { faults: parsed.faults });
    const { job, notSupportedYet } = parsed;
    for (const { path, reason } of notSupportedYet) {
      note(cli, `this version can not run it yet: ${path}: ${reason}`);
    }
    const { stringify } = await import("yaml");
    await present(cli, options, { job, notSupportedYet }, () => visibleLines(stringify(job)));
    return EXIT.ok;
  });

  const submit = group
    .command("submit")
    .description("queue a job, or several with one call: then all of them, or none where one has faults")
    .argument("[files...]", FILES_HELP)
    .option("-f, --file <file>", FILE_HELP);
  bind<Partial<FileOption>>(submit, async (cli, options, words) => {
    const paths = options.file === undefined ? words : [options.file, ...words];
    const [only, ...others] = paths;
    if (only === undefined)
      throw new CliError("give the job file, or several: job submit a.yaml", EXIT.usage);
    if (paths.filter((path) => path === "-").length > 1)
      throw new CliError("- stands for stdin, which holds one job file: give it once", EXIT.usage);
    return others.length === 0 ? submitOne(cli, options, only) : submitSeveral(cli, options, paths);
  });
}

async function submitOne(cli: Cli, options: GlobalOptions, path: string): Promise<number> {
  const jobFile = await readJobFile(cli, path);
  return withMesh(cli, options, async (mesh) => {
    const submitted = await mesh.submit(jobFile);
    if (submitted.kind === "faults") {
      return printFaults(cli, options, { jobId: 0, faults: submitted.faults });
    }
    const { jobId } = submitted;
    await present(cli, options, { jobId, faults: [] }, () => `${jobId}\n`);
    if (options.output === "table") note(cli, usefulCommands(jobId));
    const waits = await reasonToWait(mesh, jobId);
    if (waits !== null) note(cli, `\njob ${jobId} waits: ${waits}`);
    return EXIT.ok;
  });
}

/** Prints the ids in the order of the files; where none was queued, each fault with its file. */
async function submitSeveral(cli: Cli, options: GlobalOptions, paths: readonly string[]): Promise<number> {
  const jobs: { readonly jobFile: string }[] = [];
  for (const path of paths) jobs.push({ jobFile: await readJobFile(cli, path) });
  return withMesh(cli, options, async (mesh) => {
    const submitted = await mesh.submitAll(jobs);
    const results = submitted.map((one, nth) => ({
      file: paths[nth] ?? "",
      jobId: one.kind === "submitted" ? one.jobId : 0,
      faults: one.kind === "faults" ? one.faults : [],
    }));
    const queued = results.filter(({ jobId }) => jobId !== 0);
    await present(cli, options, { jobs: results }, () => queued.map(({ jobId }) => `${jobId}\n`).join(""));
    if (queued.length === results.length) return EXIT.ok;
    if (options.output === "table") {
      for (const { file, faults } of results)
        for (const fault of faults) note(cli, `${file}: ${describeFault(fault)}`.replaceAll("\n", " "));
      const files = results.filter(({ faults }) => faults.length > 0).length;
      const others = queued.length === 0 ? "no job was queued" : "only the jobs above were queued";
      note(cli, `${files} of ${results.length} job files have faults; ${others}.`);
    }
    return EXIT.usage;
  });
}

/** Prints every fault, for people one a line on stderr; gives the exit code. */
export async function printFaults(
  cli: Cli,
  options: Pick<GlobalOptions, "output">,
  document: { readonly jobId?: 0; readonly faults: readonly Fault[] },
): Promise<number> {
  if (options.output === "json") await print(cli, jsonDocument(document));
  else for (const fault of document.faults) note(cli, describeFault(fault).replaceAll("\n", " "));
  return EXIT.usage;
}

/** The next commands to try on a job that was just submitted. */
export function usefulCommands(jobId: number): string {
  return [
    "Useful commands:",
    `  to follow its output   gpumesh job logs -f ${jobId}`,
    `  to see how it goes     gpumesh job show ${jobId}`,
    `  to wait for its end    gpumesh job wait ${jobId}`,
    `  to end it              gpumesh job cancel ${jobId}`,
  ].join("\n");
}

interface FileOption {
  readonly file: string;
}

const FILES_HELP = "job files, as with -f; a file named twice is two jobs";
const FILE_HELP = "the job file: YAML or JSON, native or Batch AI's job.json; - for stdin";

/** A job that can be placed leaves the queue within this time; one that is still there has something to wait for. */
const placementMs = 500;

async function reasonToWait(mesh: Mesh, jobId: number): Promise<string | null> {
  let newest: Job | null = null;
  try {
    for await (const job of mesh.watch(jobId, { signal: AbortSignal.timeout(placementMs) })) {
      newest = job;
      if (job.state !== "queued") return null;
    }
  } catch {
    // The time is over. Should the look have failed, the job is queued all the same.
  }
  return newest === null || newest.reason === "" ? null : newest.reason;
}

async function readJobFile(cli: Cli, path: string): Promise<string> {
  try {
    return path === "-" ? await readAll(cli.stdin) : await readFile(path, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(`the job file can not be read: ${why}`, EXIT.usage);
  }
}

/** More than this is no job file; the parser says what is allowed of what was read so far. */
const readBytesMax = 2 * 1_048_576;

async function readAll(stream: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of stream as AsyncIterable<Buffer | string>) {
    const data = Buffer.from(piece);
    pieces.push(data);
    bytes += data.length;
    if (bytes > readBytesMax) break;
  }
  return Buffer.concat(pieces).toString("utf8");
}
