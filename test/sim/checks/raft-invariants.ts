import type { ConfState } from "../../../daemon/raft/core/core.ts";
import type { RaftPosition } from "../../../daemon/raft/driver-status.ts";
import type { Verdict } from "../verdict.ts";
import type { DurableLogs, EntryMark } from "./durable-logs.ts";

/** What one replica has said of itself since it was started. */
interface Observed {
  readonly term: number;
  readonly role: RaftPosition["role"];
  readonly commit: number;
  readonly applied: number;
  readonly confState: ConfState;
}

/** The invariants of raft over all replicas; each call costs in proportion to what is new. */
export class RaftInvariants {
  readonly #verdict: Verdict;
  readonly #logs: DurableLogs;
  readonly #observed = new Map<number, Observed>();
  readonly #leaderOfTerm = new Map<number, number>();
  /** Replicas whose disks were put back to an older image. */
  readonly #behind = new Set<number>();
  /** What any replica has applied, by index, with a term in which it was known to be committed. */
  readonly #committed: (EntryMark & { readonly inTerm: number })[] = [];

  constructor(verdict: Verdict, logs: DurableLogs) {
    this.#verdict = verdict;
    this.#logs = logs;
  }

  /** The highest term that had a leader. */
  get newestTerm(): number {
    return Math.max(0, ...this.#leaderOfTerm.keys());
  }

  leaderOf(term: number): number | undefined {
    return this.#leaderOfTerm.get(term);
  }

  /** A new process knows only what is on its disk. */
  started(replica: number): void {
    this.#observed.delete(replica);
  }

  /** From now on the disk of this replica is behind what it has promised, and so may the replica be. */
  wasPutBack(replica: number): void {
    this.#behind.add(replica);
  }

  /** To be called after each event of a replica. */
  observe(position: RaftPosition): void {
    const { id, term, role, commit, applied, confState } = position;
    const before = this.#observed.get(id);
    this.#observed.set(id, { term, role, commit, applied, confState });
    this.#checkMonotone(position, before);
    if (role === "leader") {
      if (before?.role !== "leader" || before.term !== term) this.#checkNewLeader(id, term);
      if (before?.role === "leader" && before.term === term && commit > before.commit) {
        this.#checkCommit(position, before.confState);
      }
    }
    for (let index = (before?.applied ?? 0) + 1; index <= applied; index++)
      this.#checkApplied(id, index, term);
  }

  #checkMonotone({ id, term, commit, applied }: RaftPosition, before: Observed | undefined): void {
    const disk = this.#behind.has(id) ? { term: 0, commit: 0 } : this.#logs.hardState(id);
    const floor = {
      term: before?.term ?? disk.term,
      commit: before?.commit ?? disk.commit,
      applied: before?.applied ?? 0,
    };
    if (term < floor.term || commit < floor.commit || applied < floor.applied) {
      this.#verdict.fail(
        "term, commit and applied only rise",
        `replica ${id} came from ${JSON.stringify(floor)} to ${JSON.stringify({ term, commit, applied })}`,
      );
    }
  }

  #checkNewLeader(id: number, term: number): void {
    const known = this.#leaderOfTerm.get(term) ?? id;
    this.#leaderOfTerm.set(term, id);
    if (known !== id) this.#verdict.fail("election safety", `${known} and ${id} lead at term ${term}`);
    if (this.#leaderOfTerm.size > 1) this.#verdict.mark("leader change");
    // A leader's own vote is on disk when it is elected, and so is everything before it in its log.
    const missing = this.#committed.findIndex(
      (entry, at) =>
        at + 1 > this.#logs.start(id).index &&
        entry.inTerm < term &&
        !sameEntry(entry, this.#logs.at(id, at + 1)),
    );
    if (missing === -1) return;
    this.#verdict.fail(
      "leader completeness",
      `${id} leads at term ${term} without the committed entry ${missing + 1}`,
    );
  }

  /** A leader counts only entries of its own term, and those are on the disks of a quorum then. */
  #checkCommit({ id, term, commit, confState }: RaftPosition, confBefore: ConfState): void {
    const has = (replica: number): boolean =>
      this.#logs.at(replica, commit)?.term === term || this.#logs.start(replica).index >= commit;
    if (isQuorum(confBefore, has) || isQuorum(confState, has)) return;
    const holders = [...confState.voters, ...confState.votersOutgoing].filter(has);
    this.#verdict.fail(
      "what is committed is durable on a quorum",
      `leader ${id} of term ${term} has committed ${commit}, which only [${holders.join(" ")}] have on disk as ` +
        `an entry of that term; members ${JSON.stringify(confState)}`,
    );
  }

  #checkApplied(id: number, index: number, term: number): void {
    const start = this.#logs.start(id);
    if (index <= start.index) {
      // Known by its term alone; the state that came with it is compared with those of the others.
      const known = this.#committed[index - 1];
      if (index < start.index || known === undefined || known.term === start.term) return;
      this.#verdict.fail(
        "state machine safety",
        `replica ${id} installed entry ${index} of term ${start.term}, another one applied that of term ${known.term}`,
      );
      return;
    }
    const own = this.#logs.at(id, index);
    if (own === undefined) {
      this.#verdict.fail(
        "what is applied is on the own disk",
        `replica ${id} has applied ${index}, which it has not on disk`,
      );
      return;
    }
    const known = (this.#committed[index - 1] ??= { ...own, inTerm: term });
    if (sameEntry(known, own)) return;
    this.#verdict.fail(
      "state machine safety",
      `replica ${id} applied entry ${index} of term ${own.term}, another one that of term ${known.term}`,
    );
  }
}

function sameEntry(one: EntryMark, other: EntryMark | undefined): boolean {
  return one.term === other?.term && one.content === other.content;
}

/** Whether those that fit are a majority of the voters, of both halves of a joint membership. */
export function isQuorum({ voters, votersOutgoing }: ConfState, fits: (replica: number) => boolean): boolean {
  const isMajority = (ids: readonly number[]): boolean => 2 * ids.filter(fits).length > ids.length;
  return isMajority(voters) && (votersOutgoing.length === 0 || isMajority(votersOutgoing));
}
