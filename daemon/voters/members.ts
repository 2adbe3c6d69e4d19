/** The members of raft by number, as applied on one of them. */
export interface Members {
  readonly voters: readonly number[];
  /** They get the log and do not vote. */
  readonly learners: readonly number[];
  /** A change of several voters has begun and is not finished: majorities of the old voters count too. */
  readonly joint: boolean;
}

export type MemberChange =
  | { readonly kind: "addLearner"; readonly member: number }
  /** Adds a voter, or promotes a learner. */
  | { readonly kind: "addVoter"; readonly member: number }
  | { readonly kind: "remove"; readonly member: number };

/** What the leader knows of a member's log, and when it was last heard of. */
export interface MemberProgress {
  /** Its log is known to equal the leader's up to here; 0 where nothing is known. */
  readonly match: number;
  /** Counted in ticks that never run ahead of the clock; 0 for the leader itself, null for one that was never heard. */
  readonly silentMs: number | null;
}

/** A member that was silent for longer does not count as one that answers: two election timeouts. */
export const ANSWERS_WITHIN_MS = 2_000;
/** A member this close behind the log's end has caught up. */
export const ENTRIES_BEHIND_MAX = 64;

export function answers(progress: MemberProgress | undefined): boolean {
  const silentMs = progress?.silentMs ?? null;
  return silentMs !== null && silentMs <= ANSWERS_WITHIN_MS;
}

/** A match of 0 is no short log, but a member that has not answered yet. */
export function hasCaughtUp(progress: MemberProgress | undefined, lastIndex: number): boolean {
  const match = progress?.match ?? 0;
  return match > 0 && match + ENTRIES_BEHIND_MAX >= lastIndex;
}
