import { NO_NODE } from "./entry.ts";
import type { NodeNumber } from "./entry.ts";
import { RaftError } from "./errors.ts";
import type { Storage } from "./storage.ts";

/** Where the core tells what it does; one line of text a call, without a newline. */
export interface Logger {
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}

export const SILENT_LOGGER: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export interface Config {
  /** Number of this node, above 0 and never used by another node of the group, past or present. */
  readonly id: NodeNumber;
  /** Ticks without word of a leader before an election; at least five times `heartbeatTick` in practice. */
  readonly electionTick: number;
  /** Ticks between two heartbeats of a leader. */
  readonly heartbeatTick: number;
  readonly storage: Storage;
  /**
   * Draws an election timeout from `[electionTick, 2 * electionTick)`. Asked anew at each change of role or term; it
   * is the only nondeterminism of the core.
   */
  readonly randomizedElectionTicks: (electionTick: number) => number;
  /** Last index that the state machine has applied, when the node restarts; entries up to it are not handed out again. */
  readonly applied?: number;
  /** Hands storage work out as messages, see `Ready`. Default false. */
  readonly asyncStorageWrites?: boolean;
  /** Bytes of entries in one MsgApp; at least one entry is always sent. 0 sends entries one by one. */
  readonly maxSizePerMsg: number;
  /** Bytes of committed entries handed out and not yet applied. Default: `maxSizePerMsg`. */
  readonly maxCommittedSizePerReady?: number;
  /** Bytes of proposals in the leader's uncommitted tail; more are dropped. Default: no limit. */
  readonly maxUncommittedEntriesSize?: number;
  /** MsgApps sent to one follower and not yet acknowledged. */
  readonly maxInflightMsgs: number;
  /** Bytes of commands in those MsgApps; at least `maxSizePerMsg`. Default: no limit. */
  readonly maxInflightBytes?: number;
  /** Lets a leader step down that heard from no quorum in an election timeout, and lets followers hold to their leader. */
  readonly checkQuorum?: boolean;
  /** Asks for votes without raising the term first (thesis, section 9.6). */
  readonly preVote?: boolean;
  /** Drops proposals on a follower instead of forwarding them to the leader. */
  readonly disableProposalForwarding?: boolean;
  /** Lets a leader become follower when the configuration change that removes it is applied. */
  readonly stepDownOnRemoval?: boolean;
  /**
   * Lets configuration changes into the log that do not fit the applied membership. Only for a caller that checks them
   * itself when they are applied.
   */
  readonly disableConfChangeValidation?: boolean;
  /**
   * Lets a candidate lead on the votes of others before its own is durable, as etcd-io/raft does. Only for comparison with
   * it: with asynchronous storage writes such a leader may crash, forget the term and be elected for it once more.
   */
  readonly leadsBeforeOwnVoteIsDurable?: boolean;
  /**
   * Set when the caller serves reads on the strength of the leader's lease. The core itself has no lease reads, but a
   * follower must then not forget its leader, for that would end the lease early. Needs `checkQuorum`.
   */
  readonly callerReadsUnderLease?: boolean;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** A checked configuration with all defaults filled in. */
export type ResolvedConfig = Required<Config>;

/** @throws RaftError `config-invalid` that names the first contradiction. */
export function resolveConfig(config: Config): ResolvedConfig {
  const resolved: ResolvedConfig = {
    applied: 0,
    asyncStorageWrites: false,
    maxCommittedSizePerReady: Math.max(1, config.maxSizePerMsg),
    maxUncommittedEntriesSize: Infinity,
    maxInflightBytes: Infinity,
    checkQuorum: false,
    preVote: false,
    disableProposalForwarding: false,
    stepDownOnRemoval: false,
    disableConfChangeValidation: false,
    leadsBeforeOwnVoteIsDurable: false,
    callerReadsUnderLease: false,
    logger: SILENT_LOGGER,
    ...config,
  };
  const refuse = (text: string): never => {
    throw new RaftError("config-invalid", text);
  };
  if (!Number.isSafeInteger(resolved.id) || resolved.id <= NO_NODE)
    refuse("id must be a safe integer above 0");
  if (resolved.heartbeatTick <= 0) refuse("heartbeat tick must be greater than 0");
  if (resolved.electionTick <= resolved.heartbeatTick)
    refuse("election tick must be greater than heartbeat tick");
  if (resolved.maxInflightMsgs <= 0) refuse("max inflight messages must be greater than 0");
  if (resolved.maxInflightBytes < resolved.maxSizePerMsg)
    refuse("max inflight bytes must be >= max message size");
  if (resolved.maxUncommittedEntriesSize <= 0) refuse("max uncommitted entries size must be greater than 0");
  if (resolved.maxCommittedSizePerReady <= 0) refuse("max committed size per ready must be greater than 0");
  if (resolved.callerReadsUnderLease && !resolved.checkQuorum) refuse("reads under a lease need checkQuorum");
  return resolved;
}
