import type { Entry, HardState, Snapshot } from "./entry.ts";
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, message } from "./message.ts";
import type { Message } from "./message.ts";
import type { Raft } from "./raft.ts";

/** What a Ready wants stored. */
export interface AppendWork {
  readonly entries: readonly Entry[];
  /** null when unchanged. */
  readonly hardState: HardState | null;
  readonly snapshot: Snapshot | null;
}

/**
 * The work for the append thread, or null when there is none. Its responses are the messages that wait for this write,
 * and the word to this node that it is done.
 */
export function storageAppendMessage(raft: Raft, work: AppendWork): Message | null {
  const { entries, hardState, snapshot } = work;
  const waiting = raft.messagesAfterAppend;
  if (entries.length === 0 && hardState === null && snapshot === null && waiting.length === 0) return null;
  const done = storageAppendResponse(raft, snapshot);
  return message({
    type: "MsgStorageAppend",
    to: LOCAL_APPEND_THREAD,
    from: raft.id,
    ...hardState,
    entries,
    snapshot,
    responses: done === null ? waiting : [...waiting, done],
  });
}

/**
 * The acknowledgement that the log up to its current end, and the snapshot, are durable once all writes handed out so
 * far are. It carries the term of now, and is dropped when the term has moved on: in a later term the entry at the end
 * may have been replaced, rewritten and replaced back (A, B, A), with a write of B still in the queue, so that neither
 * index nor entry term could tell that the acknowledged A was overwritten by B. So that the log becomes stable in the new
 * term as well, each write is followed by an acknowledgement while anything is unstable, not only those with entries;
 * and a new term always brings a write, for it changes the hard state.
 */
export function storageAppendResponse(raft: Raft, snapshot: Snapshot | null): Message | null {
  const hasUnstable = raft.log.unstable.length > 0;
  if (!hasUnstable && snapshot === null) return null;
  const last = raft.log.lastEntryId();
  return message({
    type: "MsgStorageAppendResp",
    to: raft.id,
    from: LOCAL_APPEND_THREAD,
    term: raft.term,
    ...(hasUnstable ? { index: last.index, logTerm: last.term } : {}),
    snapshot,
  });
}

/** The work for the apply thread, or null when there is none. */
export function storageApplyMessage(raft: Raft, committedEntries: readonly Entry[]): Message | null {
  const done = storageApplyResponse(raft, committedEntries);
  if (done === null) return null;
  return message({
    type: "MsgStorageApply",
    to: LOCAL_APPLY_THREAD,
    from: raft.id,
    entries: committedEntries,
    responses: [done],
  });
}

/** Without a term: what is applied stays applied. */
export function storageApplyResponse(raft: Raft, entries: readonly Entry[]): Message | null {
  if (entries.length === 0) return null;
  return message({ type: "MsgStorageApplyResp", to: raft.id, from: LOCAL_APPLY_THREAD, entries });
}
