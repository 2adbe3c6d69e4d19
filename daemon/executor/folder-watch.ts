import { watch, type FSWatcher } from "node:fs";

/**
 * Calls `read` now, after each change in `folder`, and every `pollMs`, until it gives a value.
 * @throws the signal's reason when aborted, and what `read` throws.
 */
export async function untilFolderShows<T>(
  folder: string,
  read: () => Promise<T | undefined>,
  options: { readonly pollMs: number; readonly signal?: AbortSignal | undefined },
): Promise<T> {
  let changed = false;
  let wake = (): void => {};
  const notice = (): void => {
    changed = true;
    wake();
  };
  const watcher = watchFolder(folder, notice);
  // Where the system has no watch to give, the poll is the only news, and has to be quicker.
  const timer = setInterval(notice, watcher === undefined ? Math.min(options.pollMs, 50) : options.pollMs);
  options.signal?.addEventListener("abort", notice);
  try {
    for (;;) {
      options.signal?.throwIfAborted();
      changed = false;
      const value = await read();
      if (value !== undefined) return value;
      // A change during the read is not lost: it has been noted, and the next read follows at once.
      if (!changed) await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    clearInterval(timer);
    watcher?.close();
    options.signal?.removeEventListener("abort", notice);
  }
}

function watchFolder(folder: string, notice: () => void): FSWatcher | undefined {
  try {
    return watch(folder, notice).on("error", () => {});
  } catch {
    return undefined;
  }
}
