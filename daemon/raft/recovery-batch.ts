import { asV2, decodeConfChange, encodeConfChange, LEAVE_JOINT } from "./core/core.ts";
import type { ConfChangeV2, Entry } from "./core/core.ts";
import { PROPOSAL_ID_BYTES } from "./proposals.ts";
import type { LogBatch, RecoveredLog } from "./raft-log.ts";

/**
 * The term of the survivor is raised by so much: the members that were lost may have led in terms it never heard of, and
 * workers refuse orders of a term that is lower than the highest they have seen.
 */
export const TERMS_LEFT_OUT = 1_000_000;

/** All other members that this log names: of the stored membership, and of every change of it behind that. */
export function otherMembers({ applied, entries }: RecoveredLog, survivor: number): readonly number[] {
  const { voters, votersOutgoing, learners, learnersNext } = applied.confState;
  const named = new Set([...voters, ...votersOutgoing, ...learners, ...learnersNext]);
  for (const entry of entries) {
    if (entry.index <= applied.index) continue;
    const change = decodeConfChange(entry);
    for (const { nodeId } of change === null ? [] : asV2(change).changes) named.add(nodeId);
  }
  named.delete(survivor);
  return [...named].toSorted((a, b) => a - b);
}

/**
 * One batch that makes the survivor the only voter, at the end of its log. Every entry that it holds counts as committed: a
 * survivor does not know which of the last ones were acknowledged, and one too many is only a request of unknown outcome.
 * The membership is left, should it be joint, and then changed through a joint one to the survivor alone; all of it is
 * committed already, so that no vote of the old membership is ever asked for.
 */
export function recoveryBatch(log: RecoveredLog, survivor: number, command: Uint8Array): LogBatch {
  const { hardState, start, entries } = log;
  const term = hardState.term + TERMS_LEFT_OUT;
  const removed = otherMembers(log, survivor).map(
    (nodeId) => ({ type: "ConfChangeRemoveNode", nodeId }) as const,
  );
  const alone: ConfChangeV2 = {
    kind: "v2",
    transition: "ConfChangeTransitionJointExplicit",
    changes: [{ type: "ConfChangeAddNode", nodeId: survivor }, ...removed],
    context: new Uint8Array(),
  };
  // No proposal waits for the command, so the id that it is named by is blank.
  const data = new Uint8Array([...new Uint8Array(PROPOSAL_ID_BYTES), ...command]);
  const added: readonly Pick<Entry, "type" | "data">[] = [
    { type: "EntryNormal", data },
    // Without effect where the membership is not joint.
    encodeConfChange(LEAVE_JOINT),
    encodeConfChange(alone),
    encodeConfChange(LEAVE_JOINT),
  ];
  const last = start.index + entries.length;
  return {
    entries: added.map((entry, nth) => ({ ...entry, term, index: last + 1 + nth })),
    hardState: { term, vote: 0, commit: last + added.length },
    applied: null,
    compactTo: null,
    install: null,
  };
}
