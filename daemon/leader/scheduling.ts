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

/**
 * Runs the scheduling cycle whenever the state changed, never two at once: the next one sees what the last one
 * proposed. A refused command is planned again on the newer state. Returns the stop function.
 */
export function startScheduling(options: SchedulingOptions): () => void {
  const { store } = options;
  let stopped = false;
  let running = false;
  let plannedVersion = -1;

  const propose = async (command: Command): Promise<void> => {
    const result = await store.propose(command);
    if (result.kind === "refused" && result.code !== "stale")
      options.log(`scheduling: ${command.kind} was refused: ${result.reason}`);
  };

  const run = async (): Promise<void> => {
    while (!stopped && plannedVersion !== store.view().version) {
      plannedVersion = store.view().version;
      const commands = cycle(store.view(), options.now(), { token: options.token });
      const results = await Promise.allSettled(commands.map(propose));
      const failed = results.find((result) => result.status === "rejected");
      if (failed !== undefined) {
        if (!stopped) options.log(`scheduling: a proposal failed: ${String(failed.reason)}`);
        return;
      }
    }
  };

  const wake = (): void => {
    if (running || stopped) return;
    running = true;
    setImmediate(() => {
      run().then(
        () => {
          running = false;
          if (plannedVersion !== store.view().version) wake();
        },
        (error: unknown) => {
          running = false;
          options.log(`scheduling: the cycle failed: ${String(error)}`);
        },
      );
    });
  };

  const unwatch = store.watch(wake);
  wake();
  return () => {
    stopped = true;
    unwatch();
  };
}
