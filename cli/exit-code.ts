/** The exit codes of `gpumesh`; `job wait` and `run` also exit with the job's own. */
export const EXIT = {
  ok: 0,
  /** The operation failed, or what it was about does not exist. */
  failed: 1,
  /** Wrong usage, or faults in a job file: nothing was done. */
  usage: 2,
  /** No daemon answers, or the mesh has no leader. Trying again later may help. */
  unreachable: 3,
  /** Ctrl-C, or a job that was cancelled: 128 + SIGINT, as shells have it. */
  interrupted: 130,
} as const;

/** Ends the command with a message for people. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The exit code that tells how a job ended; one that failed never gives 0. */
export function exitCodeOfJob(job: { readonly state: string; readonly exitCode: number }): number {
  switch (job.state) {
    case "succeeded":
      return EXIT.ok;
    case "cancelled":
      return EXIT.interrupted;
    default:
      return job.exitCode >= 1 && job.exitCode <= 255 ? job.exitCode : EXIT.failed;
  }
}

/** The exit code for an error, told by its name, so that the client need not be loaded to ask. */
export function exitCodeOfError(error: unknown): number {
  if (error instanceof CliError) return error.exitCode;
  return error instanceof Error && error.name === "MeshUnreachable" ? EXIT.unreachable : EXIT.failed;
}
