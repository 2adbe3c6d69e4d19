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
}

/** One member as the leader sees it. */
export interface MemberProgress {
  /** Its log is known to equal the leader's up to here; 0 where nothing is known. */
  readonly match: number;
  /** Since its last message, in ticks of this member; 0 for this member, null for one not heard since it started. */
  readonly silentMs: number | null;
}
