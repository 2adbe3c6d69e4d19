import { spawn } from "node:child_process";
import { constants } from "node:os";

export interface CommandOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** The environment of the command, its PATH included; by default that of this process. */
  readonly env?: NodeJS.ProcessEnv | undefined;
}

/** How a command ended. Only `exited` carries output: a part of an output is never used. */
export type CommandEnd =
  | { readonly kind: "exited"; readonly exitCode: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: "absent" }
  | { readonly kind: "failed"; readonly reason: string };

export const commandLimits = { outputBytesMax: 8 * 1024 * 1024, abandonedMax: 4 } as const;

/**
 * Runs a program with arguments, without a shell, and settles within `timeoutMs` in every case. At the deadline, on
 * abort and at `outputBytesMax` the command's whole process group gets SIGKILL and is no longer waited for: a program
 * stuck in the kernel (state D) does not die of it, and its helpers may hold the pipes open. While `abandonedMax`
 * such processes are left, no more are started. Never rejects.
 */
export function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandEnd> {
  if (options.signal?.aborted === true) {
    return Promise.resolve({ kind: "failed", reason: "it was cancelled" });
  }
  if (abandoned.size >= commandLimits.abandonedMax) {
    const reason = `${abandoned.size} earlier commands were killed and are still there, stuck in the kernel`;
    return Promise.resolve({ kind: "failed", reason });
  }
  return new Promise((resolve) => {
    // A process group of its own, so that one signal reaches the helpers the command has started.
    const child = spawn(program, args, {
      env: options.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    // Without a pid nothing was started and, at the limit of open files, not even the pipes exist.
    if (child.pid === undefined) {
      child.once("error", (error) => resolve(startFailure(error)));
      return;
    }

    const group = child.pid;
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let bytes = 0;

    const settle = (end: CommandEnd): void => {
      clearTimeout(deadline);
      options.signal?.removeEventListener("abort", onAbort);
      resolve(end);
    };
    const giveUp = (reason: string): void => {
      if (child.exitCode === null && child.signalCode === null) abandoned.add(group);
      killGroup(group);
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      settle({ kind: "failed", reason });
    };
    const collect = (chunks: Buffer[], chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes <= commandLimits.outputBytesMax) chunks.push(chunk);
      else giveUp(`it wrote more than ${commandLimits.outputBytesMax} bytes`);
    };
    const onAbort = (): void => giveUp("it was cancelled");
    const deadline = setTimeout(
      () => giveUp(`it did not end within ${options.timeoutMs} ms and was killed`),
      options.timeoutMs,
    );

    options.signal?.addEventListener("abort", onAbort, { once: true });
    child.once("exit", () => abandoned.delete(group));
    child.stdout.on("data", (chunk: Buffer) => collect(stdout, chunk));
    child.stderr.on("data", (chunk: Buffer) => collect(stderr, chunk));
    child.once("error", (error) => settle({ kind: "failed", reason: error.message }));
    child.once("close", (code, signalName) => {
      const exitCode = code ?? 128 + (signalName === null ? 0 : constants.signals[signalName]);
      settle({ kind: "exited", exitCode, stdout: textOf(stdout), stderr: textOf(stderr) });
    });
  });
}

/** Process groups that were killed and have not been seen to exit. */
const abandoned = new Set<number>();

function startFailure(error: NodeJS.ErrnoException): CommandEnd {
  return error.code === "ENOENT" ? { kind: "absent" } : { kind: "failed", reason: error.message };
}

function killGroup(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch (error) {
    // The group is gone already: it ended between the decision and the signal.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

function textOf(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString("utf8");
}
