import { z } from "zod";

/**
 * What `gpumesh-rsh` and the daemon of its node say to each other over a Unix socket: one JSON document a line. The
 * first line is the request; a caller that lost the socket sends it again with the offsets it has reached.
 */
export const LINE_BYTES_MAX = 1_048_576;

const requestSchema = z.strictObject({
  job: z.int().min(1),
  attempt: z.int().min(1),
  token: z.string().min(1).max(256),
  /** Chosen by the caller: the same id is the same command. */
  id: z.string().regex(/^[a-z0-9]{8,32}$/),
  host: z.string().min(1).max(256),
  commandLine: z
    .string()
    .min(1)
    .max(LINE_BYTES_MAX / 2),
  stdoutOffset: z.int().min(0),
  stderrOffset: z.int().min(0),
});
export type ShellRequest = z.infer<typeof requestSchema>;

const stopSchema = z.strictObject({ stop: z.literal(true) });

/** From the daemon: output in base64, then how the command ended. */
const answerSchema = z.union([
  z.strictObject({ stdout: z.string() }),
  z.strictObject({ stderr: z.string() }),
  z.strictObject({ exit: z.int(), reason: z.string() }),
]);
export type ShellAnswer = z.infer<typeof answerSchema>;

export function parseRequest(line: string): ShellRequest | null {
  return parseLine(requestSchema, line);
}

export function isStop(line: string): boolean {
  return parseLine(stopSchema, line) !== null;
}

export function parseAnswer(line: string): ShellAnswer | null {
  return parseLine(answerSchema, line);
}

function parseLine<T>(schema: z.ZodType<T>, line: string): T | null {
  try {
    return schema.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}

/** Splits a byte stream into lines. Throws on a line longer than LINE_BYTES_MAX. */
export function lineSplitter(onLine: (line: string) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      onLine(rest.toString("utf8", 0, end));
      rest = rest.subarray(end + 1);
    }
    if (rest.length > LINE_BYTES_MAX) throw new Error(`a line is longer than ${LINE_BYTES_MAX} bytes`);
  };
}
