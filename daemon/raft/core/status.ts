import type { HardState, NodeNumber } from "./entry.ts";
import type { Raft } from "./raft.ts";
import type { SoftState } from "./ready.ts";
import type { ProgressState } from "./tracker/progress.ts";
import type { TrackerConfig } from "./tracker/tracker.ts";

/** The leader's view of one member. */
export interface ProgressStatus {
  readonly match: number;
  readonly next: number;
  readonly state: ProgressState;
  readonly isLearner: boolean;
  readonly isPaused: boolean;
  readonly recentActive: boolean;
  /** 0 when no snapshot is on its way. */
  readonly pendingSnapshot: number;
  /** For example "StateReplicate match=11 next=12". */
  readonly text: string;
}

/** What a node knows of itself. */
export interface BasicStatus extends HardState, SoftState {
  readonly id: NodeNumber;
  /** The highest index that is known to have been applied. */
  readonly applied: number;
  /** `NO_NODE` when no transfer is in progress. */
  readonly leadTransferee: NodeNumber;
}

export interface Status extends BasicStatus {
  readonly config: TrackerConfig;
  /** Empty unless this node leads. */
  readonly progress: ReadonlyMap<NodeNumber, ProgressStatus>;
}

export function statusOf(raft: Raft): Status {
  const progress = new Map<NodeNumber, ProgressStatus>();
  if (raft.state === "StateLeader") {
    for (const [id, each] of raft.tracker.progress) {
      const { match, next, state, isLearner, isPaused, recentActive, pendingSnapshot } = each;
      const text = each.describe();
      progress.set(id, { match, next, state, isLearner, isPaused, recentActive, pendingSnapshot, text });
    }
  }
  return { ...basicStatusOf(raft), config: raft.tracker.config, progress };
}

/** Cheap enough to be asked for after every event. */
export function basicStatusOf(raft: Raft): BasicStatus {
  const { term, vote, commit } = raft.hardState();
  const { lead, raftState } = raft.softState();
  const { id, leadTransferee } = raft;
  return { term, vote, commit, lead, raftState, id, applied: raft.log.applied, leadTransferee };
}
