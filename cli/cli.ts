import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { Command } from "commander";
import type { Mesh } from "./client/client.ts";
import { CliError, EXIT } from "./exit-code.ts";
import { jsonDocument } from "./output/json.ts";
import { visibleLines } from "./output/visible.ts";

/** What a command works with: the streams of the process, and what the test of a command puts in their place. */
export interface Cli {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Calls `handler` at each Ctrl-C, in place of what it does otherwise, until the returned function is called. */
  onInterrupt(handler: () => void): () => void;
}

/** The options that every command has. */
export interface GlobalOptions {
  readonly context?: string;
  readonly output: "table" | "json";
  /** Seconds. */
  readonly timeout: number;
}

/** What carries out a command: gives the exit code. */
export type Action<Options> = (
  cli: Cli,
  options: Options & GlobalOptions,
  words: readonly string[],
) => Promise<number>;

/** Makes `action` what `command` does. Its words are the command's arguments, those of a list one by one. */
export type Bind = <Options>(command: Command, action: Action<Options>) => void;

/** Writes to stdout at the pace of its reader. */
export async function print(cli: Cli, data: string | Uint8Array): Promise<void> {
  await write(cli.stdout, data);
}

export async function write(stream: Writable, data: string | Uint8Array): Promise<void> {
  if (data.length > 0 && !stream.write(data)) await once(stream, "drain");
}

/** Tells people something, beside the command's output. */
export function note(cli: Cli, message: string): void {
  cli.stderr.write(`${visibleLines(message)}\n`);
}

/** Prints `value` for programs, or what `text` makes for people. */
export async function present(
  cli: Cli,
  { output }: Pick<GlobalOptions, "output">,
  value: unknown,
  text: () => string,
): Promise<void> {
  await print(cli, output === "json" ? jsonDocument(value) : text());
}

/** Runs `work` with a connection to the mesh, and closes it. gRPC is loaded only here. */
export async function withMesh<T>(
  cli: Cli,
  options: GlobalOptions,
  work: (mesh: Mesh, folder: string) => Promise<T>,
): Promise<T> {
  const { connectMesh, contextFolder } = await import("./client/client.ts");
  const folder = contextFolder(options.context, cli.environment);
  const mesh = await connectMesh({ context: folder, retryForMs: options.timeout * 1_000 });
  try {
    return await work(mesh, folder);
  } finally {
    mesh.close();
  }
}

/** Takes a job's number. */
export function jobNumber(text: string | undefined): number {
  const number = Number(text);
  if (text === undefined || !/^\d{1,15}$/.test(text) || number < 1) {
    throw new CliError(`${JSON.stringify(text ?? "")} is no job id: give its number, e.g. 12`, EXIT.usage);
  }
  return number;
}
