import type { Part } from "../part.ts";
import { readHeldLog } from "../held-log.ts";

/** Grace for a remote command that its caller gave up. */
const STOP_GRACE_MS = 2_000;

export interface ShellSink {
  readonly stdout: (data: Buffer) => void;
  readonly stderr: (data: Buffer) => void;
}

export interface ShellCommand {
  /** Command name in the part, from the caller's id. */
  readonly name: string;
  readonly commandLine: string;
  readonly stdoutOffset: number;
  readonly stderrOffset: number;
}

/** A caller's id as the name of a command. */
export function shellCommandName(id: string): string {
  return `rsh-${id}`;
}

/**
 * Runs (or attaches to) a command in this node's part and copies its output until it ends. Abandoning it through
 * `signal` leaves the command running: the caller may come back for it.
 */
export async function runShell(
  part: Part,
  command: ShellCommand,
  sink: ShellSink,
  signal: AbortSignal,
): Promise<{ readonly code: number; readonly reason: string }> {
  await part.runRemote(command.name, command.commandLine);
  const copy = async (stream: "stdout" | "stderr", offset: number): Promise<void> => {
    const pieces = readHeldLog(() => part.log(command.name), { stream, offset, follow: true, signal });
    for await (const piece of pieces) sink[stream](piece.data);
  };
  const [exit] = await Promise.all([
    part.waitRemote(command.name, signal),
    copy("stdout", command.stdoutOffset),
    copy("stderr", command.stderrOffset),
  ]);
  return { code: exit.code, reason: exit.reason ?? "" };
}

export function stopShell(part: Part, name: string): Promise<void> {
  return part.stopRemote(name, STOP_GRACE_MS);
}
