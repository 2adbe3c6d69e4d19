import type { MemberChange, Members, Store } from "../store/store.ts";
import type { StateView } from "../../scheduler/state/state.ts";

/** Voters of a mesh that has the nodes for it. With fewer than this many the founder votes alone. */
const VOTERS_WANTED = 3;
/** A learner this close behind the log's end has caught up. */
const ENTRIES_BEHIND_MAX = 64;
const CHECK_INTERVAL_MS = 500;

export interface VotersOptions {
  readonly store: Store;
  readonly log: (line: string) => void;
}

/**
 * Who should become a member next; null when nothing is to be done. The mesh goes from one voter to three in two steps:
 * two more nodes become learners, and vote together once both have the whole log. Spot VMs come last, then the lower
 * number.
 */
export function nextChange(
  view: StateView,
  members: Members,
  caughtUp: (member: number) => boolean,
): readonly MemberChange[] | null {
  if (members.joint || members.voters.length >= VOTERS_WANTED) return null;
  const missing = VOTERS_WANTED - members.voters.length;
  const ready = [...view.nodes.values()]
    .filter((node) => node.state.kind === "ready" && !members.voters.includes(node.number))
    .toSorted((a, b) => Number(a.facts?.spot) - Number(b.facts?.spot) || a.number - b.number);
  const learners = ready.filter((node) => members.learners.includes(node.number));
  if (learners.length >= missing) {
    const chosen = learners.filter((node) => caughtUp(node.number)).slice(0, missing);
    if (chosen.length < missing) return null;
    return chosen.map((node) => ({ kind: "addVoter", member: node.number }));
  }
  if (ready.length < missing) return null;
  const added = ready
    .filter((node) => !members.learners.includes(node.number))
    .slice(0, missing - learners.length);
  return added.map((node) => ({ kind: "addLearner", member: node.number }));
}

/** Keeps the mesh at its number of voters while this daemon leads. Returns the stop function. */
export function startVoters(options: VotersOptions): () => void {
  const { store, log } = options;
  let busy = false;
  const check = async (): Promise<void> => {
    const progress = store.memberProgress();
    // A match of 0 is no short log, but a member that has not answered yet.
    const caughtUp = (member: number): boolean => {
      const match = progress.get(member)?.match ?? 0;
      return match > 0 && match + ENTRIES_BEHIND_MAX >= store.lastIndex();
    };
    const changes = nextChange(store.view(), store.members(), caughtUp);
    if (changes === null) return;
    log(`raft members: ${changes.map((change) => `${change.kind} ${change.member}`).join(", ")}`);
    await store.changeMembers(changes);
  };
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    check()
      .catch((error: unknown) => log(`raft members did not change: ${String(error)}`))
      .finally(() => (busy = false));
  }, CHECK_INTERVAL_MS);
  return () => clearInterval(timer);
}
