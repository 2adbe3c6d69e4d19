import type { Environment } from "./environment.ts";
import type { RaftRole } from "./standing.ts";

/** The first of the voters that are left asks at once, the last after this time. */
export const RANK_SPREAD_MS = 50;
const GAP_MS_MIN = 50;
const GAP_MS_MAX = 150;
/** Then the election timeout is in charge again. */
const TRIES_MAX = 10;

export interface FailoverHintOptions {
  readonly id: number;
  readonly environment: Pick<Environment, "after" | "random">;
  /** What the core says of this member at this moment. */
  readonly look: () => {
    readonly role: RaftRole;
    readonly term: number;
    readonly leader: number | null;
    /** Of both halves of a joint membership. */
    readonly voters: readonly number[];
  };
  readonly forgetLeader: () => void;
  /** Asks for pre-votes, and for votes when those are granted. */
  readonly campaign: () => void;
}

type Hint =
  | { readonly kind: "none" }
  /** The leader of `term` is gone, and nobody that leads since then was heard. */
  | { readonly kind: "standing"; readonly term: number; readonly cancel: () => void };

/**
 * Fast failover: the process of the leader is known to be gone, so its followers need not wait for an election timeout.
 *
 * A hint is taken once per term. The follower forgets its leader, and so grants pre-votes inside the lease; a voter asks
 * for pre-votes after 0 to 50 ms by its rank among those that are left, and again after random gaps of 50 to 150 ms for
 * as long as the hint stands. The word of a leader of that term or a newer one ends it.
 *
 * A false hint unseats nobody: those who hear the leader grant no pre-vote, and its next word ends the hint.
 */
export class FailoverHint {
  readonly #options: FailoverHintOptions;
  #hint: Hint = { kind: "none" };
  /** Of the newest hint that was taken. */
  #takenTerm = 0;
  /** The newest term that was seen at a try. */
  #triedTerm = 0;
  #triesLeft = 0;
  /** Somebody else was given a chance since the last try. */
  #gaveWay = false;

  constructor(options: FailoverHintOptions) {
    this.#options = options;
  }

  /** This member's process is gone. To be told after every message that it had sent. Returns whether it is a hint. */
  take(gone: number): boolean {
    const { id, look, forgetLeader } = this.#options;
    const { role, term, leader, voters } = look();
    if (role !== "follower" || leader !== gone || term <= this.#takenTerm) return false;
    this.end();
    this.#takenTerm = term;
    this.#triedTerm = term;
    this.#gaveWay = false;
    forgetLeader();
    if (!voters.includes(id)) return true;
    this.#triesLeft = TRIES_MAX;
    const left = [...new Set(voters)].filter((voter) => voter !== gone).toSorted((a, b) => a - b);
    this.#tryAfter(term, (RANK_SPREAD_MS * left.indexOf(id)) / Math.max(1, left.length - 1));
    return true;
  }

  /** A message came that only the leader of `term` sends. */
  heardLeader(term: number): void {
    if (this.#hint.kind === "standing" && term >= this.#hint.term) this.end();
  }

  /** This member has granted another one's pre-vote. */
  gaveWay(): void {
    this.#gaveWay = true;
  }

  end(): void {
    if (this.#hint.kind === "standing") this.#hint.cancel();
    this.#hint = { kind: "none" };
  }

  #tryAfter(term: number, ms: number): void {
    const cancel = this.#options.environment.after(ms, () => this.#try(term));
    this.#hint = { kind: "standing", term, cancel };
  }

  #try(hintTerm: number): void {
    const { environment, look, campaign } = this.#options;
    const { role, term, leader } = look();
    if (role === "leader" || leader !== null || this.#triesLeft === 0) return this.end();
    // An election that was begun since the last try, or is about to be, gets one gap: another one would split its votes.
    const elects = this.#gaveWay || term > this.#triedTerm;
    this.#gaveWay = false;
    this.#triedTerm = term;
    if (!elects) {
      this.#triesLeft--;
      campaign();
    }
    this.#tryAfter(hintTerm, GAP_MS_MIN + (GAP_MS_MAX - GAP_MS_MIN) * environment.random());
  }
}
