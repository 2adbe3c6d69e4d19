import type { ConfState, RaftState } from "./core/core.ts";

export type RaftRole = "follower" | "pre-candidate" | "candidate" | "leader";

export const ROLES: Readonly<Record<RaftState, RaftRole>> = {
  StateFollower: "follower",
  StatePreCandidate: "pre-candidate",
  StateCandidate: "candidate",
  StateLeader: "leader",
};

/** The part of a member's status whose changes are told to listeners. */
export interface Standing {
  readonly role: RaftRole;
  readonly term: number;
  /** Null where none is known. */
  readonly leader: number | null;
  /** The applied membership; replaced whole by each change. */
  readonly confState: ConfState;
  /** This member leads, and has applied the first entry of its own term, and so everything before it. */
  readonly leadsWithAppliedNoop: boolean;
}

/** Gathers what a turn finds out, and tells it at the end of the turn if it is news. */
export class StandingBoard {
  readonly #listeners = new Set<(standing: Standing) => void>();
  #standing: Standing;
  #published: Standing;

  constructor(term: number, confState: ConfState) {
    this.#standing = {
      role: "follower",
      term,
      leader: null,
      confState,
      leadsWithAppliedNoop: false,
    };
    this.#published = this.#standing;
  }

  get standing(): Standing {
    return this.#standing;
  }

  observe(change: Partial<Omit<Standing, "leadsWithAppliedNoop">>): void {
    this.#standing = { ...this.#standing, ...change };
  }

  /** What is news since the last call, given the term of the last applied entry; null for nothing. */
  publish(appliedTerm: number): { readonly before: Standing; readonly now: Standing } | null {
    const { role, term } = this.#standing;
    const leadsWithAppliedNoop = role === "leader" && appliedTerm === term;
    if (leadsWithAppliedNoop !== this.#standing.leadsWithAppliedNoop) {
      this.#standing = { ...this.#standing, leadsWithAppliedNoop };
    }
    const before = this.#published;
    if (sameStanding(before, this.#standing)) return null;
    this.#published = this.#standing;
    return { before, now: this.#standing };
  }

  notify(): void {
    for (const listener of this.#listeners) listener(this.#published);
  }

  /** Returns the way to end it. */
  listen(listener: (standing: Standing) => void): () => void {
    // Wrapped, so that the same function given twice is two listeners.
    const own = (standing: Standing): void => listener(standing);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }
}

function sameStanding(left: Standing, right: Standing): boolean {
  return (
    left.role === right.role &&
    left.term === right.term &&
    left.leader === right.leader &&
    left.confState === right.confState &&
    left.leadsWithAppliedNoop === right.leadsWithAppliedNoop
  );
}
