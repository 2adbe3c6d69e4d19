import type { Entry, HardState, NodeNumber, Snapshot } from "./entry.ts";
import type { Message } from "./message.ts";

export type RaftState = "StateFollower" | "StatePreCandidate" | "StateCandidate" | "StateLeader";

/** Volatile state that is worth telling about; not to be stored. */
export interface SoftState {
  readonly lead: NodeNumber;
  readonly raftState: RaftState;
}

/**
 * The answer to one ReadIndex request: a read that starts once the state machine has applied `index` is linearizable.
 * `requestCtx` is the context that the request was made with.
 */
export interface ReadState {
  readonly index: number;
  readonly requestCtx: Uint8Array;
}

/**
 * What the caller has to do, in this order:
 *
 * 1. make `hardState`, `entries` and `snapshot` durable (with fsync when `mustSync`), in one atomic step;
 * 2. send `messages`;
 * 3. apply `snapshot`, then `committedEntries`, telling each configuration change to `applyConfChange`;
 * 4. call `advance`.
 *
 * With asynchronous storage writes the steps 1, 3 and 4 are messages to `LOCAL_APPEND_THREAD` and `LOCAL_APPLY_THREAD`
 * instead: their work is done in the order of their arrival, each one's responses are delivered when it is durable, and
 * `advance` is not called. The other messages may leave at once.
 */
export interface Ready {
  /** null when unchanged. */
  readonly softState: SoftState | null;
  /** null when unchanged. */
  readonly hardState: HardState | null;
  readonly readStates: readonly ReadState[];
  /** To be stored; they replace stored entries from the same index on. */
  readonly entries: readonly Entry[];
  readonly snapshot: Snapshot | null;
  /** Committed, and not handed out before. In synchronous mode they may be among `entries`. */
  readonly committedEntries: readonly Entry[];
  readonly messages: readonly Message[];
  /** Whether `hardState` and `entries` must be synced to disk; false when only the commit index moved. */
  readonly mustSync: boolean;
}
