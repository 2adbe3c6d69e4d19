import type { ConfState, NodeNumber } from "../entry.ts";
import { jointCommittedIndex, describeJoint, jointIds, jointVoteResult } from "../quorum/joint.ts";
import type { JointConfig } from "../quorum/joint.ts";
import { describeMajority, sortedIds } from "../quorum/majority.ts";
import type { VoteResult } from "../quorum/vote-result.ts";
import { Inflights } from "./inflights.ts";
import { Progress } from "./progress.ts";

/**
 * A membership. Voters and learners are disjoint; `learnersNext` is a part of the outgoing voters and empty unless the
 * membership is joint.
 */
export interface TrackerConfig {
  readonly voters: JointConfig;
  readonly learners: ReadonlySet<NodeNumber>;
  readonly learnersNext: ReadonlySet<NodeNumber>;
  /** Whether a leader leaves the joint membership by itself. */
  readonly autoLeave: boolean;
}

export const EMPTY_TRACKER_CONFIG: TrackerConfig = {
  voters: { incoming: new Set(), outgoing: new Set() },
  learners: new Set(),
  learnersNext: new Set(),
  autoLeave: false,
};

/** Window limits of each follower. */
export interface InflightLimits {
  readonly maxInflightMsgs: number;
  readonly maxInflightBytes: number;
}

/** The membership with the progress of each member and the votes of the current election. */
export class Tracker {
  readonly limits: InflightLimits;
  #config: TrackerConfig = EMPTY_TRACKER_CONFIG;
  #progress: ReadonlyMap<NodeNumber, Progress> = new Map();
  #votes = new Map<NodeNumber, boolean>();

  constructor(limits: InflightLimits) {
    this.limits = limits;
  }

  get config(): TrackerConfig {
    return this.#config;
  }

  /** All members in ascending order, which makes the order of messages reproducible. */
  get progress(): ReadonlyMap<NodeNumber, Progress> {
    return this.#progress;
  }

  switchTo(config: TrackerConfig, progress: ReadonlyMap<NodeNumber, Progress>): void {
    this.#config = config;
    this.#progress = new Map([...progress].toSorted(([left], [right]) => left - right));
  }

  newInflights(): Inflights {
    return new Inflights(this.limits.maxInflightMsgs, this.limits.maxInflightBytes);
  }

  /** Starts all followers anew behind `lastIndex`, as a change of role or term demands. */
  resetProgress(lastIndex: number, self: NodeNumber): void {
    this.#progress = new Map(
      [...this.#progress].map(([id, { isLearner }]) => {
        const fresh = new Progress(lastIndex + 1, this.newInflights(), { isLearner, recentActive: false });
        if (id === self) fresh.match = lastIndex;
        return [id, fresh];
      }),
    );
  }

  /** Whether this node is the only voter and no change is under way. */
  get isSingleton(): boolean {
    const { incoming, outgoing } = this.#config.voters;
    return incoming.size === 1 && outgoing.size === 0;
  }

  /** The highest index that a quorum has acknowledged. */
  committed(): number {
    return jointCommittedIndex(this.#config.voters, (id) => this.#progress.get(id)?.match);
  }

  /** Whether the voters that were heard of lately, the leader among them, make a quorum. */
  quorumActive(): boolean {
    const active = new Map<NodeNumber, boolean>();
    for (const [id, { isLearner, recentActive }] of this.#progress)
      if (!isLearner) active.set(id, recentActive);
    return jointVoteResult(this.#config.voters, active) === "VoteWon";
  }

  voterIds(): readonly NodeNumber[] {
    return sortedIds(jointIds(this.#config.voters));
  }

  resetVotes(): void {
    this.#votes = new Map();
  }

  /** Only the first vote of a node counts. */
  recordVote(id: NodeNumber, granted: boolean): void {
    if (!this.#votes.has(id)) this.#votes.set(id, granted);
  }

  /** Whether this node has answered, with yes or no. */
  hasVoteOf(id: NodeNumber): boolean {
    return this.#votes.has(id);
  }

  /** Votes of members only: a vote of a node that has been removed meanwhile does not count. */
  tallyVotes(): { readonly granted: number; readonly rejected: number; readonly result: VoteResult } {
    let granted = 0;
    let rejected = 0;
    for (const [id, { isLearner }] of this.#progress) {
      const vote = isLearner ? undefined : this.#votes.get(id);
      if (vote === undefined) continue;
      if (vote) granted += 1;
      else rejected += 1;
    }
    return { granted, rejected, result: jointVoteResult(this.#config.voters, this.#votes) };
  }
}

export function confStateOf(config: TrackerConfig): ConfState {
  return {
    voters: sortedIds(config.voters.incoming),
    votersOutgoing: sortedIds(config.voters.outgoing),
    learners: sortedIds(config.learners),
    learnersNext: sortedIds(config.learnersNext),
    autoLeave: config.autoLeave,
  };
}

/** For example "voters=(1 2)&&(1) learners=(3) learners_next=(4) autoleave". */
export function describeTrackerConfig(config: TrackerConfig): string {
  return [
    `voters=${describeJoint(config.voters)}`,
    config.learners.size > 0 ? ` learners=${describeMajority(config.learners)}` : "",
    config.learnersNext.size > 0 ? ` learners_next=${describeMajority(config.learnersNext)}` : "",
    config.autoLeave ? " autoleave" : "",
  ].join("");
}
