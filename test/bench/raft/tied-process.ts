import { spawn, type ChildProcess } from "node:child_process";
import { openSync } from "node:fs";

/** A process that dies with this one, however this one ends. */
export interface TiedProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Asks it to end and waits until it has; after `endMsMax` it is killed. */
  stop(): Promise<void>;
}

const endMsMax = 10_000;

/** Starts a command whose output goes to `logFile`; a Node program can talk with this one over IPC. */
export function startTied(
  command: readonly string[],
  options: { readonly logFile: string; readonly ipc: boolean },
): TiedProcess {
  const log = openSync(options.logFile, "a");
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...command], {
    stdio: ["ignore", log, log, ...(options.ipc ? (["ipc"] as const) : [])],
  });
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  return {
    pid: child.pid ?? 0,
    child,
    async stop() {
      child.kill("SIGTERM");
      const cut = setTimeout(() => child.kill("SIGKILL"), endMsMax);
      await ended;
      clearTimeout(cut);
    },
  };
}

/** The next message that the process sends. Rejects when it ends before that. */
export function nextMessage(process: TiedProcess, what: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown): void => {
      process.child.off("exit", onExit);
      resolve(message);
    };
    const onExit = (): void => {
      process.child.off("message", onMessage);
      reject(new Error(`${what} ended`));
    };
    process.child.once("message", onMessage);
    process.child.once("exit", onExit);
  });
}
