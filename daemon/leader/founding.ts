import type { AddJoinToken, InitialiseMesh } from "../../scheduler/model/command.ts";
import type { StateView } from "../../scheduler/state/state.ts";
import type { Store } from "../store/store.ts";

const RETRY_DELAY_MS = 500;

export interface FoundingOptions {
  readonly store: Store;
  /** The first commands of a mesh, in their order; none except on its founder. */
  readonly commands: readonly (InitialiseMesh | AddJoinToken)[];
  readonly log: (line: string) => void;
}

/**
 * Proposes what is not committed yet of a mesh's first commands, wherever an earlier run was interrupted. Goes on until
 * they are. Returns the stop function.
 */
export function startFounding({ store, commands, log }: FoundingOptions): () => void {
  let stopped = false;
  let retry: NodeJS.Timeout | undefined;
  const found = async (): Promise<void> => {
    for (const command of commands) {
      if (stopped || isDone(store.view(), command)) continue;
      const result = await store.propose(command);
      if (result.kind === "refused") log(`${command.kind} was refused: ${result.reason}`);
    }
  };
  const run = (): void => {
    found().catch((error: unknown) => {
      if (stopped) return;
      log(`the mesh is not founded yet, which is tried again: ${String(error)}`);
      retry = setTimeout(run, RETRY_DELAY_MS);
    });
  };
  run();
  return () => {
    stopped = true;
    clearTimeout(retry);
  };
}

function isDone(view: StateView, command: InitialiseMesh | AddJoinToken): boolean {
  return command.kind === "initialiseMesh" ? view.mesh !== null : view.tokens.has(command.id);
}
