import type { NodeNumber } from "../entry.ts";
import { invariant } from "../errors.ts";
import type { Inflights } from "./inflights.ts";

/**
 * How the leader feeds a follower:
 * - `StateProbe`: its log is unknown; one MsgApp with entries at a time, to find out.
 * - `StateReplicate`: it follows; MsgApps are sent optimistically, as far as the window allows.
 * - `StateSnapshot`: it needs entries that the leader no longer has; none are sent until the snapshot has arrived.
 */
export type ProgressState = "StateProbe" | "StateReplicate" | "StateSnapshot";

/** The leader's view of one follower. Invariant: `match < next`. */
export class Progress {
  /** The highest index known to be durable on the follower. */
  match = 0;
  /** The index of the next entry to send. In `StateReplicate` it runs ahead of the acknowledgements. */
  next: number;
  state: ProgressState = "StateProbe";
  /** In `StateSnapshot`: the index of the snapshot on its way. */
  pendingSnapshot = 0;
  /** Whether a message came since the last check of the quorum. */
  recentActive: boolean;
  /** Stops MsgApps with entries until an answer or a heartbeat response comes. */
  msgAppFlowPaused = false;
  isLearner: boolean;
  readonly inflights: Inflights;
  /** The highest commit index on its way to the follower; lower ones need no message of their own. */
  #sentCommit = 0;

  constructor(next: number, inflights: Inflights, options: { isLearner: boolean; recentActive: boolean }) {
    this.next = next;
    this.inflights = inflights;
    this.isLearner = options.isLearner;
    this.recentActive = options.recentActive;
  }

  /** A copy that a draft of a membership may change. The window is shared: only one of the two is ever used further. */
  copy(): Progress {
    const copied = new Progress(this.next, this.inflights, this);
    copied.match = this.match;
    copied.state = this.state;
    copied.pendingSnapshot = this.pendingSnapshot;
    copied.msgAppFlowPaused = this.msgAppFlowPaused;
    copied.#sentCommit = this.#sentCommit;
    return copied;
  }

  becomeProbe(): void {
    // After a snapshot, the follower has at least the snapshot: probe behind it.
    const next = Math.max(this.match, this.state === "StateSnapshot" ? this.pendingSnapshot : 0) + 1;
    this.#resetState("StateProbe");
    this.#moveNextBack(next);
  }

  becomeReplicate(): void {
    this.#resetState("StateReplicate");
    this.next = this.match + 1;
  }

  becomeSnapshot(snapshotIndex: number): void {
    this.#resetState("StateSnapshot");
    this.pendingSnapshot = snapshotIndex;
    this.next = snapshotIndex + 1;
    this.#sentCommit = snapshotIndex;
  }

  /** Notes that a MsgApp of so many entries was sent. */
  sentEntries(count: number, bytes: number): void {
    if (this.state === "StateReplicate") {
      if (count > 0) {
        this.next += count;
        this.inflights.add(this.next - 1, bytes);
      }
      // A full window is lifted by acknowledgements, or by a heartbeat response when all of them were lost.
      this.msgAppFlowPaused = this.inflights.full;
      return;
    }
    invariant(this.state === "StateProbe", () => `sending append in unhandled state ${this.state}`);
    if (count > 0) this.msgAppFlowPaused = true;
  }

  sentCommit(commit: number): void {
    this.#sentCommit = commit;
  }

  /** Whether a message with this commit index tells the follower something that it can use. */
  canBumpCommit(commit: number): boolean {
    return commit > this.#sentCommit && this.#sentCommit < this.next - 1;
  }

  /** Takes an acknowledgement of all entries up to `index`; false when it is old news. */
  maybeUpdate(index: number): boolean {
    if (index <= this.match) return false;
    this.match = index;
    this.next = Math.max(this.next, index + 1);
    this.msgAppFlowPaused = false;
    return true;
  }

  /**
   * Takes the rejection of a MsgApp whose previous entry was at `rejected`, with the follower's hint where the logs may
   * match; false when the rejection is stale (reordered or sent twice).
   */
  maybeDecreaseTo(rejected: number, matchHint: number): boolean {
    if (this.state === "StateReplicate") {
      if (rejected <= this.match) return false;
      this.#moveNextBack(this.match + 1);
      return true;
    }
    if (this.next - 1 !== rejected) return false;
    this.#moveNextBack(Math.max(Math.min(rejected, matchHint + 1), this.match + 1));
    this.msgAppFlowPaused = false;
    return true;
  }

  /** Whether no MsgApp may be sent now. */
  get isPaused(): boolean {
    return this.state === "StateSnapshot" || this.msgAppFlowPaused;
  }

  /** For example "StateReplicate match=11 next=15 paused inflight=3[full]". */
  describe(): string {
    const { count, full } = this.inflights;
    return [
      `${this.state} match=${this.match} next=${this.next}`,
      this.isLearner ? " learner" : "",
      this.isPaused ? " paused" : "",
      this.pendingSnapshot > 0 ? ` pendingSnap=${this.pendingSnapshot}` : "",
      this.recentActive ? "" : " inactive",
      count > 0 ? ` inflight=${count}${full ? "[full]" : ""}` : "",
    ].join("");
  }

  #resetState(state: ProgressState): void {
    this.msgAppFlowPaused = false;
    this.pendingSnapshot = 0;
    this.state = state;
    this.inflights.reset();
  }

  #moveNextBack(next: number): void {
    this.next = next;
    // What was sent behind `next` may be lost, and the commit index with it.
    this.#sentCommit = Math.min(this.#sentCommit, next - 1);
  }
}

/** One line a node, in ascending order. */
export function describeProgress(progress: ReadonlyMap<NodeNumber, Progress>): string {
  return [...progress]
    .toSorted(([left], [right]) => left - right)
    .map(([id, each]) => `${id}: ${each.describe()}\n`)
    .join("");
}
