import type { ConfState } from "./core/core.ts";
import type { PeerRefusal } from "./peer-identity.ts";
import type { RefusalCounts } from "./peer-refusals.ts";
import type { RaftRole } from "./standing.ts";

/** How far one member is, as it sees itself. */
export interface RaftPosition {
  readonly id: number;
  readonly role: RaftRole;
  readonly term: number;
  /** Null where none is known. */
  readonly leader: number | null;
  readonly commit: number;
  readonly applied: number;
  readonly lastIndex: number;
  /** The applied membership, with the outgoing half of a joint one. */
  readonly confState: ConfState;
}

/** All that a member knows of itself and of the others. */
export interface RaftStatus extends RaftPosition {
  readonly voters: readonly number[];
  readonly learners: readonly number[];
  /** How many streams and messages of peers this member has refused since it started, by reason. */
  readonly refusals: RefusalCounts;
  /** The peers that refuse this member, and why. */
  readonly refusedBy: ReadonlyMap<number, PeerRefusal>;
  /** What is known of the members' logs, this one's included; empty unless this member leads. */
  readonly progress: ReadonlyMap<number, MemberProgress>;
}

/** What a leader knows of a member. */
export interface MemberProgress {
  /** The last index that it is known to hold. */
  readonly match: number;
  /** It was heard since the leader last looked whether a quorum is there, an election timeout ago at most. */
  readonly recentActive: boolean;
}
