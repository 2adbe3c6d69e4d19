import { Option, type Command } from "commander";
import type { Job } from "../client/client.ts";
import { jobNumber, note, present, withMesh, type Bind } from "../cli.ts";
import { CliError, EXIT, exitCodeOfJob } from "../exit-code.ts";
import { table } from "../output/table.ts";
import { span } from "../output/times.ts";
import { describeEnd, describeJob } from "./describe-job.ts";
import { addJobFileCommands } from "./job-file.ts";
import { addJobLogsCommand } from "./job-logs.ts";

/** `gpumesh job validate|submit|list|show|logs|wait|cancel` */
export function addJobCommands(program: Command, bind: Bind): void {
  const group = program.command("job").description("jobs");
  addJobFileCommands(group, bind);
  addListCommand(group, bind);
  addShowCommand(group, bind);
  addJobLogsCommand(group, bind);
  addWaitCommand(group, bind);
  addCancelCommand(group, bind);
}

const STATES = ["queued", "starting", "running", "terminating", "succeeded", "failed", "cancelled"] as const;
const TITLES = ["ID", "NAME", "STATE", "PRIORITY", "NODES", "TOOLKIT", "AGE", "REASON"];

function addListCommand(group: Command, bind: Bind): void {
  const command = group
    .command("list")
    .description("jobs, the newest first")
    .addOption(new Option("--state <states...>", "only jobs in these states").choices(STATES))
    .option("--limit <number>", "at most so many", "100");
  bind<{ readonly state?: readonly string[]; readonly limit: string }>(command, async (cli, options) => {
    const limit = Number(options.limit);
    if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) {
      throw new CliError(
        `--limit ${JSON.stringify(options.limit)}: give a number from 1 to 1000`,
        EXIT.usage,
      );
    }
    return withMesh(cli, options, async (mesh) => {
      const list = await mesh.jobs({ states: options.state ?? [], limit });
      const now = Date.now();
      await present(cli, options, list, () =>
        table(
          TITLES,
          list.jobs.map((job) => row(job, now)),
        ),
      );
      if (list.truncated) note(cli, `There are more; these are the newest ${list.jobs.length}.`);
      return EXIT.ok;
    });
  });
}

function row(job: Job, now: number): readonly string[] {
  return [
    String(job.id),
    job.name,
    job.state,
    job.priority,
    String(job.nodeCount),
    job.toolkit,
    span(now - job.submittedAtMs),
    job.reason,
  ];
}

function addShowCommand(group: Command, bind: Bind): void {
  const command = group.command("show").description("one job: its state, why, and its attempts");
  bind(command.argument("<id>", "the job's number"), async (cli, options, [word]) => {
    const id = jobNumber(word);
    return withMesh(cli, options, async (mesh) => {
      const job = await mesh.job(id);
      await present(cli, options, job, () => describeJob(job));
      return EXIT.ok;
    });
  });
}

function addWaitCommand(group: Command, bind: Bind): void {
  const command = group.command("wait").description("wait until a job has ended; exits with its exit code");
  bind(command.argument("<id>", "the job's number"), async (cli, options, [word]) => {
    const id = jobNumber(word);
    return withMesh(cli, options, async (mesh) => {
      const job = await mesh.wait(id);
      await present(cli, options, job, () => `${describeEnd(job)}\n`);
      return exitCodeOfJob(job);
    });
  });
}

function addCancelCommand(group: Command, bind: Bind): void {
  const command = group.command("cancel").description("end a job");
  bind(command.argument("<id>", "the job's number"), async (cli, options, [word]) => {
    const id = jobNumber(word);
    return withMesh(cli, options, async (mesh) => {
      await mesh.cancel(id);
      await present(
        cli,
        options,
        { jobId: id },
        () => `job ${id} is being cancelled; to see when it is: gpumesh job wait ${id}\n`,
      );
      return EXIT.ok;
    });
  });
}
