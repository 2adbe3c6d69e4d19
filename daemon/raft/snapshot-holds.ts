export interface SnapshotHoldsOptions {
  /** How much of the log this member is known to hold; null where nothing is counted of it any more. */
  readonly matchOf: (member: number) => number | null;
  readonly applied: () => number;
}

interface Hold {
  /** The entries behind this one are held. */
  from: number;
  /** A member that holds the log up to here is a follower as any other; null while its snapshot is on its way. */
  goal: number | null;
}

/**
 * Which entries are still wanted by members that are being sent a snapshot, or have just taken one: they go on from the
 * log behind it, and would need another snapshot where those entries are gone.
 */
export class SnapshotHolds {
  readonly #holds = new Map<number, Hold>();
  readonly #options: SnapshotHoldsOptions;

  constructor(options: SnapshotHoldsOptions) {
    this.#options = options;
  }

  /** A snapshot of the entry at `index` is on its way. */
  begin(member: number, index: number): void {
    this.#holds.set(member, { from: index, goal: null });
  }

  /** The stream to the member is over. Who has taken the snapshot follows from there up to what is applied by now. */
  end(member: number, taken: boolean): void {
    const hold = this.#holds.get(member);
    if (hold === undefined) return;
    if (taken) hold.goal = this.#options.applied();
    else this.#holds.delete(member);
  }

  /** The entries behind this one are wanted; null when nobody waits for any. */
  heldFrom(): number | null {
    let lowest: number | null = null;
    for (const [member, hold] of this.#holds) {
      if (hold.goal !== null && !this.#follows(member, hold)) this.#holds.delete(member);
      else lowest = Math.min(lowest ?? hold.from, hold.from);
    }
    return lowest;
  }

  #follows(member: number, hold: Hold): boolean {
    const match = this.#options.matchOf(member);
    if (match === null || match >= (hold.goal ?? Infinity)) return false;
    hold.from = Math.max(hold.from, match);
    return true;
  }
}
