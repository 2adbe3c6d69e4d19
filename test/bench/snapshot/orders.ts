import type { MemberConfig } from "../raft/member-network.ts";
import type { Pauses } from "./pauses.ts";

/** What a member is told in the file that is its one argument. */
export interface SnapshotMemberConfig extends MemberConfig {
  /** It is the first voter of a new group. */
  readonly founds: boolean;
  /** Its log is never compacted. */
  readonly keepsLog: boolean;
}

/** What the benchmark asks of a member, one at a time; each is answered with a MemberReport or with a text that says why not. */
export type Order =
  /** Submits so many jobs, as fast as they go. */
  | { readonly kind: "fill"; readonly jobs: number }
  /** Submits a job every few milliseconds, until a few writes in a row found nothing to compact. */
  | { readonly kind: "compact" }
  | { readonly kind: "addLearner"; readonly member: number }
  /** Submits a job every few milliseconds until the next order. */
  | { readonly kind: "load" }
  /** Waits until this member has so many jobs, and a little longer. */
  | { readonly kind: "await"; readonly jobs: number }
  | { readonly kind: "stop" };

export interface MemberReport {
  readonly jobs: number;
  /** Of the time since the last report, or since the member had started. */
  readonly pauses: Pauses;
  readonly startMs: number;
  /** While it started. */
  readonly startPauses: Pauses;
  /** How many batches since its start compacted the log, and installed a snapshot. */
  readonly compactions: number;
  readonly installations: number;
}
