import { EMPTY_BYTES, NO_NODE } from "./entry.ts";
import type { Entry, NodeNumber, Snapshot } from "./entry.ts";

/** The local storage that makes entries and hard state durable; target of `MsgStorageAppend`. */
export const LOCAL_APPEND_THREAD: NodeNumber = -1;
/** The local state machine that applies committed entries; target of `MsgStorageApply`. */
export const LOCAL_APPLY_THREAD: NodeNumber = -2;

export const MESSAGE_TYPES = [
  "MsgHup",
  "MsgBeat",
  "MsgProp",
  "MsgApp",
  "MsgAppResp",
  "MsgVote",
  "MsgVoteResp",
  "MsgSnap",
  "MsgHeartbeat",
  "MsgHeartbeatResp",
  "MsgUnreachable",
  "MsgSnapStatus",
  "MsgCheckQuorum",
  "MsgTransferLeader",
  "MsgTimeoutNow",
  "MsgReadIndex",
  "MsgReadIndexResp",
  "MsgPreVote",
  "MsgPreVoteResp",
  "MsgStorageAppend",
  "MsgStorageAppendResp",
  "MsgStorageApply",
  "MsgStorageApplyResp",
  "MsgForgetLeader",
] as const;

export type MessageType = (typeof MESSAGE_TYPES)[number];

/**
 * Everything that enters and leaves the core. A field that a type does not use holds its zero. `term` 0 marks a local
 * message, except for `MsgProp` and `MsgReadIndex`, which travel without one because they hold at any term.
 */
export interface Message {
  readonly type: MessageType;
  readonly to: NodeNumber;
  readonly from: NodeNumber;
  readonly term: number;
  /** With `index`: the entry before `entries` (MsgApp), the candidate's last entry (votes), the last one stored. */
  readonly logTerm: number;
  readonly index: number;
  readonly entries: readonly Entry[];
  readonly commit: number;
  /** Only in MsgStorageAppend, where term, vote and commit are the hard state to store; all zero stands for none. */
  readonly vote: NodeNumber;
  readonly snapshot: Snapshot | null;
  readonly reject: boolean;
  /** In a rejecting MsgAppResp: the last index at which the logs can agree; its term is `logTerm`. */
  readonly rejectHint: number;
  readonly context: Uint8Array;
  /** Only in MsgStorageAppend and MsgStorageApply: to be delivered, in this order, when the work has become durable. */
  readonly responses: readonly Message[];
}

/** A message with the zero of each field that is not given. */
export function message(fields: Pick<Message, "type" | "to"> & Partial<Message>): Message {
  return {
    from: NO_NODE,
    term: 0,
    logTerm: 0,
    index: 0,
    entries: [],
    commit: 0,
    vote: NO_NODE,
    snapshot: null,
    reject: false,
    rejectHint: 0,
    context: EMPTY_BYTES,
    responses: [],
    ...fields,
  };
}

const LOCAL_TYPES: ReadonlySet<MessageType> = new Set<MessageType>([
  "MsgHup",
  "MsgBeat",
  "MsgUnreachable",
  "MsgSnapStatus",
  "MsgCheckQuorum",
  "MsgStorageAppend",
  "MsgStorageAppendResp",
  "MsgStorageApply",
  "MsgStorageApplyResp",
]);

const RESPONSE_TYPES: ReadonlySet<MessageType> = new Set<MessageType>([
  "MsgAppResp",
  "MsgVoteResp",
  "MsgHeartbeatResp",
  "MsgUnreachable",
  "MsgReadIndexResp",
  "MsgPreVoteResp",
  "MsgStorageAppendResp",
  "MsgStorageApplyResp",
]);

/** Whether a message of this type must never come from the network. */
export function isLocalMessage(type: MessageType): boolean {
  return LOCAL_TYPES.has(type);
}

export function isResponseMessage(type: MessageType): boolean {
  return RESPONSE_TYPES.has(type);
}

/** Whether `node` stands for a part of this process and not for a member. */
export function isLocalTarget(node: NodeNumber): boolean {
  return node === LOCAL_APPEND_THREAD || node === LOCAL_APPLY_THREAD;
}
