import { once } from "node:events";
import type { EventEmitter } from "node:events";
import type { Part } from "../part.ts";
import { readHeldLog } from "../held-log.ts";

/** Grace for a remote command that its caller gave up. */
const STOP_GRACE_MS = 2_000;

/** As ssh says "could not connect". */
export const EXIT_NOT_PERMITTED = 255;

/** Takes a piece of output; resolves when the caller can take more. */
export type ShellSink = (stream: "stdout" | "stderr", data: Buffer) => Promise<void>;

export interface ShellCommand {
  /** Command name in the part, from the caller's id. */
  readonly name: string;
  readonly commandLine: string;
  readonly stdoutOffset: number;
  readonly stderrOffset: number;
}

export interface ShellExit {
  readonly code: number;
  readonly reason: string;
}

/** A caller's id as the name of a command. */
export function shellCommandName(id: string): string {
  return `rsh-${id}`;
}

/**
 * Runs (or attaches to) a command in this node's part and copies its output until it ends, at the caller's pace.
 * Abandoning it through `signal` leaves the command running: the caller may come back for it.
 */
export async function runShell(
  part: Part,
  command: ShellCommand,
  sink: ShellSink,
  signal: AbortSignal,
): Promise<ShellExit> {
  await part.runRemote(command.name, command.commandLine);
  const copy = async (stream: "stdout" | "stderr", offset: number): Promise<void> => {
    const pieces = readHeldLog(() => part.log(command.name), { stream, offset, follow: true, signal });
    for await (const piece of pieces) await sink(stream, piece.data);
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

/** Writes one message, and waits while the stream is full. Rejects when the signal says that its reader is gone. */
export async function writeAtPace<T>(
  stream: EventEmitter & { write(message: T): boolean },
  message: T,
  signal: AbortSignal,
): Promise<void> {
  if (!stream.write(message)) await once(stream, "drain", { signal });
}
