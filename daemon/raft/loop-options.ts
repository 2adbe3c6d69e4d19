import type { Message } from "./core/core.ts";
import type { RaftTiming } from "./core-config.ts";
import type { LogLine } from "./driver-options.ts";
import type { Environment } from "./environment.ts";
import type { Proposals } from "./proposals.ts";
import type { RaftLimits } from "./raft-limits.ts";
import type { RaftLog } from "./raft-log.ts";
import type { ReadRounds } from "./read-rounds.ts";
import type { StateMachine } from "./state-machine.ts";
import type { CompactionLimits } from "./synced-entries.ts";

/** What the loop of a member works with, and whom it tells. */
export interface LoopOptions {
  readonly id: number;
  readonly log: RaftLog;
  readonly timing: RaftTiming;
  readonly limits: RaftLimits;
  readonly environment: Environment;
  readonly proposals: Proposals;
  readonly reads: ReadRounds;
  readonly send: (messages: readonly Message[]) => void;
  readonly machine: StateMachine;
  readonly compaction: CompactionLimits;
  readonly heldFrom: () => number | null;
  /** Sends the snapshot that this MsgSnap names; how it fared is told by `reportSnapshot`. */
  readonly sendSnapshot: (message: Message) => void;
  readonly onApplied: (index: number) => void;
  /** Peers hold that this member has forgotten what it promised. */
  readonly silent: () => boolean;
  readonly onFatal: (error: Error) => void;
  readonly report: LogLine;
}
