import type { Command } from "../../scheduler/model/command.ts";
import { cycle } from "../../scheduler/cycle.ts";
import type { Store } from "../store/store.ts";

export interface SchedulingOptions {
  readonly store: Store;
  readonly now: () => number;
  /** A fresh secret for an attempt. */
  readonly token: () => string;
  readonly log: (line: string) => void;
}

/** After so many plans in a row of which nothing came about, the next one waits: neither spin nor wait for ever. */
const VAIN_PLANS_MAX = 2;
const RETRY_DELAY_MS = 500;

/**
 * Runs the scheduling cycle whenever the state changed, never two at once: the next one sees what the last one
 * proposed. A refused command is planned again on the newer state. Returns the stop function.
 */
export function startScheduling(options: SchedulingOptions): () => void {
  const { store, log } = options;
  let stopped = false;
  let running = false;
  let plannedVersion = -1;
  let retry: NodeJS.Timeout | undefined;

  const propose = async (command: Command): Promise<boolean> => {
    const result = await store.propose(command);
    if (result.kind !== "refused") return true;
    if (result.code !== "stale") log(`scheduling: ${command.kind} was refused: ${result.reason}`);
    return false;
  };

  /** Plans and proposes; false when nothing of it came about. */
  const runOnce = async (): Promise<boolean> => {
    plannedVersion = store.view().version;
    const commands = cycle(store.view(), options.now(), { token: options.token });
    const results = await Promise.allSettled(commands.map(propose));
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined && !stopped) log(`scheduling: a proposal failed: ${String(failed.reason)}`);
    return results.length === 0 || results.some((result) => result.status === "fulfilled" && result.value);
  };

  const run = async (): Promise<void> => {
    let vain = 0;
    while (!stopped && (vain > 0 || plannedVersion !== store.view().version)) {
      vain = (await runOnce()) ? 0 : vain + 1;
      if (vain === VAIN_PLANS_MAX) return pause();
    }
    running = false;
  };

  const pause = (): void => {
    plannedVersion = -1;
    if (!stopped) retry = setTimeout(start, RETRY_DELAY_MS);
  };

  const start = (): void => {
    run().catch((error: unknown) => {
      log(`scheduling: the cycle failed: ${String(error)}`);
      pause();
    });
  };

  const wake = (): void => {
    if (running || stopped) return;
    running = true;
    setImmediate(start);
  };

  const unwatch = store.watch(wake);
  wake();
  return () => {
    stopped = true;
    clearTimeout(retry);
    unwatch();
  };
}
