import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { DataFolder } from "./data-folder.ts";
import { SetupError } from "./data-folder.ts";

const START_TIMEOUT_MS = 30_000;
const LOOK_INTERVAL_MS = 25;
const LOG_TAIL_LINES = 5;

/**
 * Starts the daemon of that folder in the background, its output in the folder's log file, and resolves with its pid
 * once it serves. Throws SetupError with the end of the log when it does not.
 */
export async function startInBackground(program: string, folder: DataFolder): Promise<number> {
  rmSync(folder.readyFile, { force: true });
  const log = openSync(folder.logFile, "a", 0o600);
  const child = spawn(process.execPath, [program, "run", "--data", folder.path], {
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  child.unref();
  const failure = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(String(error)));
    child.once("exit", (code, signal) => resolve(`it ended with ${signal ?? `code ${code}`}`));
  });
  let failed: string | null = null;
  void failure.then((reason) => (failed = reason));
  for (let waited = 0; waited < START_TIMEOUT_MS; waited += LOOK_INTERVAL_MS) {
    if (existsSync(folder.readyFile)) return child.pid ?? 0;
    if (failed !== null)
      throw new SetupError(`the daemon did not start: ${String(failed)}\n${logTail(folder)}`);
    await sleep(LOOK_INTERVAL_MS);
  }
  throw new SetupError(
    `the daemon does not serve after ${START_TIMEOUT_MS / 1_000} s; its log is ${folder.logFile}\n${logTail(folder)}`,
  );
}

function logTail(folder: DataFolder): string {
  try {
    return readFileSync(folder.logFile, "utf8").trimEnd().split("\n").slice(-LOG_TAIL_LINES).join("\n");
  } catch {
    return "";
  }
}
