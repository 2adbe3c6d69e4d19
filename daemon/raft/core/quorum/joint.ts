import type { NodeNumber } from "../entry.ts";
import { describeMajority, majorityCommittedIndex, majorityVoteResult } from "./majority.ts";
import type { AckedIndex, MajorityConfig } from "./majority.ts";
import type { VoteResult } from "./vote-result.ts";

/**
 * Voters of a membership (thesis, section 4.3): while `outgoing` is not empty, every decision needs a majority of both
 * halves.
 */
export interface JointConfig {
  readonly incoming: MajorityConfig;
  readonly outgoing: MajorityConfig;
}

export function isJoint(config: JointConfig): boolean {
  return config.outgoing.size > 0;
}

/** The voters of both halves. */
export function jointIds(config: JointConfig): ReadonlySet<NodeNumber> {
  return isJoint(config) ? new Set([...config.incoming, ...config.outgoing]) : config.incoming;
}

/** The highest index that a majority of each half has acknowledged. */
export function jointCommittedIndex(config: JointConfig, acked: AckedIndex): number {
  return Math.min(
    majorityCommittedIndex(config.incoming, acked),
    majorityCommittedIndex(config.outgoing, acked),
  );
}

/** Won when both halves are won, lost as soon as one is lost. */
export function jointVoteResult(config: JointConfig, votes: ReadonlyMap<NodeNumber, boolean>): VoteResult {
  const incoming = majorityVoteResult(config.incoming, votes);
  const outgoing = majorityVoteResult(config.outgoing, votes);
  if (incoming === outgoing) return incoming;
  return incoming === "VoteLost" || outgoing === "VoteLost" ? "VoteLost" : "VotePending";
}

/** "(1 2 3)", or "(1 2 3)&&(1)" when joint. */
export function describeJoint(config: JointConfig): string {
  const incoming = describeMajority(config.incoming);
  return isJoint(config) ? `${incoming}&&${describeMajority(config.outgoing)}` : incoming;
}
