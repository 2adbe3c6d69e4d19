import type { ConfChangeV2 } from "./core/core.ts";
import type { RaftTiming } from "./core-config.ts";
import type { RaftLimits } from "./raft-limits.ts";
import type { Environment } from "./environment.ts";
import type { OpenLogOptions, RaftLog } from "./raft-log.ts";
import type { StateMachine } from "./state-machine.ts";
import type { CompactionLimits } from "./synced-entries.ts";
import type { RaftTransport } from "./transport.ts";

/** A committed proposal, of whichever member. */
export interface CommittedEntry {
  readonly index: number;
  readonly term: number;
  readonly data: Uint8Array;
}

/** What `proposeConfChange` takes; the driver names it itself. */
export type MembershipChange = Omit<ConfChangeV2, "kind" | "context">;

/** Takes one line of text on a notable event. */
export type LogLine = (level: "info" | "warn" | "error", line: string) => void;

export interface DriverOptions {
  /** This member's number, above 0. */
  readonly id: number;
  /** The mesh that the group belongs to; members of others are refused. */
  readonly meshId: string;
  /** The folder of the log, this driver's alone. */
  readonly folder: string;
  readonly transport: RaftTransport;
  /** What the log is for; it is empty when it is given here. */
  readonly machine: StateMachine;
  /**
   * The first voters of a new group, used when the log is empty; null waits for a leader to send the log. To be given
   * only when the group is made: with an emptied folder it would make a second group of the same name.
   */
  readonly bootstrap: { readonly voters: readonly number[] } | null;
  /** The log could not be written, or an invariant is broken: the process must end. Called at most once, after the start. */
  readonly onFatal: (error: Error) => void;
  /** Takes one line for each notable event; silent by default. */
  readonly report?: LogLine;
  readonly timing?: RaftTiming;
  readonly limits?: RaftLimits;
  readonly environment?: Environment;
  /** Opens the log; `LevelLog.open` unless faults are to be injected. */
  readonly openLog?: (folder: string, options: OpenLogOptions) => Promise<RaftLog>;
  /** How much of the log is kept for followers that are behind. */
  readonly compaction?: CompactionLimits;
}
