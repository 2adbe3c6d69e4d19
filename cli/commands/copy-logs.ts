import type { LogPiece, LogsOptions, Mesh } from "../client/client.ts";
import { note, write, type Cli, type GlobalOptions } from "../cli.ts";
import { jsonLine } from "../output/json.ts";
import { LinePrefixer } from "../output/line-prefixer.ts";

/** What `copyLogs` met. */
export interface CopiedLogs {
  /** Logs that could not be read to their end. */
  readonly lost: number;
}

/**
 * Copies a job's logs to stdout and stderr as they come. Where the job has one command, its bytes pass unchanged; else
 * each line carries the name of its command. As JSON, every piece is a line on stdout, with its data in base64.
 */
export async function copyLogs(
  cli: Cli,
  { output }: Pick<GlobalOptions, "output">,
  mesh: Mesh,
  jobId: number,
  options: LogsOptions,
): Promise<CopiedLogs> {
  let lost = 0;
  const writer = output === "json" ? jsonWriter(cli) : textWriter(cli, mesh, jobId, options);
  for await (const piece of mesh.logs(jobId, options)) {
    if (piece.kind === "lost") {
      lost++;
      note(cli, describeLoss(piece));
    }
    await writer.add(piece);
  }
  await writer.end();
  return { lost };
}

interface PieceWriter {
  add(piece: LogPiece): Promise<void>;
  end(): Promise<void>;
}

function jsonWriter(cli: Cli): PieceWriter {
  return {
    add: (piece) =>
      write(
        cli.stdout,
        jsonLine(
          piece.kind === "lost" ? piece : { ...piece, data: Buffer.from(piece.data).toString("base64") },
        ),
      ),
    end: () => Promise.resolve(),
  };
}

function textWriter(cli: Cli, mesh: Mesh, jobId: number, options: LogsOptions): PieceWriter {
  let attempt = 0;
  let several = false;
  const prefixers = new Map<string, { readonly stream: "stdout" | "stderr"; readonly lines: LinePrefixer }>();

  const endLines = async (): Promise<void> => {
    for (const { stream, lines } of prefixers.values()) await write(cli[stream], lines.end());
    prefixers.clear();
  };
  const begin = async (number: number): Promise<void> => {
    await endLines();
    if (attempt > 0) note(cli, `attempt ${number} begins`);
    attempt = number;
    several = (await commandCount(mesh, jobId, number, options)) > 1;
  };
  return {
    async add(piece) {
      if (piece.kind === "lost") return;
      if (piece.attempt !== attempt) await begin(piece.attempt);
      const { stream, command, data } = piece;
      if (!several) return write(cli[stream], data);
      const key = `${stream} ${command}`;
      const known = prefixers.get(key) ?? { stream, lines: new LinePrefixer(`[${command}] `) };
      prefixers.set(key, known);
      return write(cli[stream], known.lines.add(data));
    },
    end: endLines,
  };
}

async function commandCount(
  mesh: Mesh,
  jobId: number,
  attempt: number,
  { commands }: LogsOptions,
): Promise<number> {
  if (commands !== undefined) return new Set(commands).size;
  const job = await mesh.job(jobId);
  const record = job.attempts.find(({ number }) => number === attempt);
  return record?.parts.reduce((sum, part) => sum + part.commands.length, 0) ?? 1;
}

function describeLoss({
  command,
  stream,
  attempt,
  node,
  reason,
}: Extract<LogPiece, { kind: "lost" }>): string {
  return `the rest of ${stream} of ${command} (attempt ${attempt}) is lost with node ${node}: ${reason}`;
}
