import type { LogLine } from "./driver-options.ts";
import type { Config, Storage } from "./core/core.ts";
import type { RaftLimits } from "./raft-limits.ts";
import type { SnapshotRetry } from "./snapshot-sender.ts";
import type { CompactionLimits } from "./synced-entries.ts";

/** Time in ticks. An election begins after `electionTicks` to twice that many ticks without a word of a leader. */
export interface RaftTiming {
  readonly tickMs: number;
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
}

export const DEFAULT_TIMING: RaftTiming = { tickMs: 100, electionTicks: 10, heartbeatTicks: 2 };

/** The largest payload of one proposal. */
export const PROPOSAL_BYTES_MAX = 1024 * 1024 + 1024;
/** A read that no leader confirms is dropped after so many election timeouts. */
export const READ_ELECTIONS_MAX = 3;
/** What was applied is stored after this time, when no other write takes it along. */
export const APPLIED_FLUSH_MS = 50;
/** How often peers are told how far the store has come, when nothing else tells them. */
export const REMIND_MS = 1000;

const MIB = 1024 * 1024;

/** A follower that is further behind than this gets a snapshot. */
export const DEFAULT_COMPACTION: CompactionLimits = {
  entriesKeptMin: 10_000,
  entriesKeptBytesMax: 64 * MIB,
  compactedPerBatchMin: 1024,
  compactedPerBatchMax: 1024,
  heldEntriesMax: 100_000,
  heldBytesMax: 128 * MIB,
};

/** Of a snapshot to a member that could not be sent it. */
export const SNAPSHOT_RETRY: SnapshotRetry = { waitMsMin: 200, waitMsMax: 3_000 };

/** The core's configuration: the project's choices, the same for every member. */
export function coreConfig(options: {
  readonly id: number;
  readonly storage: Storage;
  /** The index up to which the state was restored from records. */
  readonly applied: number;
  readonly timing: RaftTiming;
  readonly limits: RaftLimits;
  readonly random: () => number;
  readonly report: LogLine;
}): Config {
  const { id, storage, applied, timing, limits, random, report } = options;
  return {
    id,
    storage,
    applied,
    electionTick: timing.electionTicks,
    heartbeatTick: timing.heartbeatTicks,
    asyncStorageWrites: true,
    preVote: true,
    checkQuorum: true,
    stepDownOnRemoval: true,
    disableProposalForwarding: true,
    maxSizePerMsg: limits.messageBytesMax,
    maxCommittedSizePerReady: limits.committedBytesPerReadyMax,
    maxUncommittedEntriesSize: limits.uncommittedBytesMax,
    maxInflightMsgs: limits.inflightMessagesMax,
    maxInflightBytes: limits.inflightBytesMax,
    randomizedElectionTicks: (electionTicks) => electionTicks + Math.floor(random() * electionTicks),
    logger: {
      debug: () => {},
      info: (line) => report("info", line),
      warn: (line) => report("warn", line),
      error: (line) => report("error", line),
    },
  };
}
