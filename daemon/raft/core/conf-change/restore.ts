import type { ConfState, NodeNumber } from "../entry.ts";
import { EMPTY_TRACKER_CONFIG } from "../tracker/tracker.ts";
import { changeSimply, enterJoint } from "./changer.ts";
import type { Membership, NewMemberPolicy } from "./changer.ts";
import type { ConfChangeSingle, ConfChangeType } from "./conf-change.ts";

/**
 * Rebuilds a membership from its stored form by replaying changes from nothing: first what leads to the outgoing half,
 * one by one; then, if there is one, everything else in one joint step.
 */
export function restoreMembership(state: ConfState, policy: NewMemberPolicy): Membership {
  const incoming = [
    // Removed and then added anew where they stay, so that they end as the incoming half says.
    ...changesOf("ConfChangeRemoveNode", state.votersOutgoing),
    ...changesOf("ConfChangeAddNode", state.voters),
    ...changesOf("ConfChangeAddLearnerNode", state.learners),
    ...changesOf("ConfChangeAddLearnerNode", state.learnersNext),
  ];
  const nobody: Membership = { config: EMPTY_TRACKER_CONFIG, progress: new Map() };
  if (state.votersOutgoing.length === 0) return changeOneByOne(nobody, incoming, policy);
  const outgoing = changesOf("ConfChangeAddNode", state.votersOutgoing);
  return enterJoint(changeOneByOne(nobody, outgoing, policy), incoming, state.autoLeave, policy);
}

function changesOf(type: ConfChangeType, ids: readonly NodeNumber[]): ConfChangeSingle[] {
  return ids.map((nodeId) => ({ type, nodeId }));
}

function changeOneByOne(
  from: Membership,
  changes: readonly ConfChangeSingle[],
  policy: NewMemberPolicy,
): Membership {
  return changes.reduce((membership, change) => changeSimply(membership, [change], policy), from);
}
