import type { RaftPosition } from "../../../daemon/raft/driver-status.ts";
import type { Verdict } from "../verdict.ts";
import type { DurableLogs } from "./durable-logs.ts";

/** A new voter may lack this much of the log: what the mesh's policy allows, and what came while the change was made. */
const ENTRIES_BEHIND_MAX = 64 + 32;

/**
 * Whoever the mesh makes a voter holds the log, but for its newest entries: else a group that could lose one more member
 * could lose none until the new one has caught up.
 */
export class Promotions {
  readonly #verdict: Verdict;
  readonly #logs: DurableLogs;
  #applied = 0;
  #voters: readonly number[];

  constructor(verdict: Verdict, logs: DurableLogs, founders: readonly number[]) {
    this.#verdict = verdict;
    this.#logs = logs;
    this.#voters = founders;
  }

  /** To be called after each event of a replica. */
  observe({ applied, confState: { voters } }: RaftPosition): void {
    if (applied <= this.#applied) return;
    const added = voters.filter((voter) => !this.#voters.includes(voter));
    // The change is one of the entries that nobody had applied before.
    const change = this.#applied + 1;
    this.#applied = applied;
    this.#voters = voters;
    for (const voter of added) {
      const last = this.#logs.lastIndex(voter);
      if (last + ENTRIES_BEHIND_MAX >= change) continue;
      const detail = `${voter} has entries up to ${last}, and became a voter at entry ${change} or later`;
      this.#verdict.fail("a new voter holds the log", detail);
    }
  }
}
