import { nextStep } from "../voters/next-step.ts";
import type { VoterStep } from "../voters/next-step.ts";
import { wantedVoters } from "../voters/wanted-voters.ts";
import type { Store } from "../store/store.ts";

const CHECK_INTERVAL_MS = 500;

export interface VotersOptions {
  readonly store: Store;
  readonly now: () => number;
  readonly log: (line: string) => void;
}

/**
 * Keeps the mesh at the voters that it should have while this daemon leads, one step at a time. Returns the stop function.
 */
export function startVoters(options: VotersOptions): () => void {
  const { store, now, log } = options;
  let busy = false;
  let told = "";
  const tell = (line: string): void => {
    if (line !== told && line !== "") log(line);
    told = line;
  };
  const check = async (): Promise<void> => {
    const { leader, leads } = store.leadership();
    if (!leads || leader === null) return;
    const [view, members] = [store.view(), store.members()];
    const at = { view, members, leader, progress: store.memberProgress(), lastIndex: store.lastIndex() };
    const step = nextStep(at, wantedVoters({ view, members, leader, now: now() }));
    tell(describeStep(step));
    if (step.kind === "change") await store.changeMembers(step.changes);
    else if (step.kind === "handOver") await store.handOver(step.to);
  };
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    check()
      .catch((error: unknown) => tell(`the voters did not change: ${String(error)}`))
      .finally(() => (busy = false));
  }, CHECK_INTERVAL_MS);
  return () => clearInterval(timer);
}

function describeStep(step: VoterStep): string {
  switch (step.kind) {
    case "change":
      return `voters: ${step.changes.map(({ kind, member }) => `${kind} ${member}`).join(", ")}`;
    case "handOver":
      return `voters: member ${step.to} is to lead`;
    case "wait":
      return `voters: ${step.reason}`;
    case "done":
      return "";
  }
}
