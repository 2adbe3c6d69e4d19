import { open } from "node:fs/promises";
import { watch } from "node:fs";
import type { CommandLog } from "./part.ts";

const CHUNK_BYTES_MAX = 65_536;
/** The end of the command, or a change that the file system did not announce, is seen after so long at the latest. */
const POLL_INTERVAL_MS = 100;

export interface LogPiece {
  readonly offset: number;
  readonly data: Buffer;
}

export interface ReadOptions {
  readonly stream: "stdout" | "stderr";
  readonly offset: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/**
 * Yields the bytes of a command's log from `offset` on, in order, none twice. With `follow` it goes on until the
 * command has ended and everything it wrote was yielded. `current` is asked anew at each turn: whether the command has
 * ended is read before the file, so that nothing written before the end is missed.
 */
export async function* readHeldLog(
  current: () => CommandLog | null,
  options: ReadOptions,
): AsyncGenerator<LogPiece, void> {
  let offset = options.offset;
  while (!options.signal.aborted) {
    const log = current();
    if (log === null) return;
    const path = options.stream === "stdout" ? log.stdoutPath : log.stderrPath;
    for await (const piece of readFrom(path, offset)) {
      offset = piece.offset + piece.data.length;
      yield piece;
      if (options.signal.aborted) return;
    }
    if (log.ended || !options.follow || options.signal.aborted) return;
    await changed(path, options.signal);
  }
}

async function* readFrom(path: string, start: number): AsyncGenerator<LogPiece, void> {
  const file = await open(path, "r").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  });
  if (file === null) return;
  try {
    for (let offset = start; ;) {
      const { bytesRead, buffer } = await file.read(
        Buffer.alloc(CHUNK_BYTES_MAX),
        0,
        CHUNK_BYTES_MAX,
        offset,
      );
      if (bytesRead === 0) return;
      yield { offset, data: buffer.subarray(0, bytesRead) };
      offset += bytesRead;
    }
  } finally {
    await file.close();
  }
}

/** Resolves when the file may have grown, or the command may have ended. */
function changed(path: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      watcher?.close();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, POLL_INTERVAL_MS);
    const watcher = watchFile(path, done);
    signal.addEventListener("abort", done, { once: true });
  });
}

/** Null where the file does not exist yet or can not be watched: the poll serves then. */
function watchFile(path: string, onChange: () => void): ReturnType<typeof watch> | null {
  try {
    const watcher = watch(path, onChange);
    watcher.on("error", () => undefined);
    return watcher;
  } catch {
    return null;
  }
}
