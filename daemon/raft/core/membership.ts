import { changeSimply, enterJoint, leaveJoint } from "./conf-change/changer.ts";
import type { Membership, NewMemberPolicy } from "./conf-change/changer.ts";
import { effectOf } from "./conf-change/conf-change.ts";
import type { ConfChangeV2 } from "./conf-change/conf-change.ts";
import { restoreMembership } from "./conf-change/restore.ts";
import type { ConfState, NodeNumber } from "./entry.ts";
import { NO_NODE } from "./entry.ts";
import { invariant } from "./errors.ts";
import type { Raft } from "./raft.ts";
import { answerConfirmedReads } from "./reads.ts";
import { maybeCommit } from "./replication.ts";
import { broadcastAppend, maybeSendAppend } from "./send.ts";
import { confStateOf, describeTrackerConfig } from "./tracker/tracker.ts";

/** Puts a committed change into force and returns the membership that it makes. */
export function applyConfChange(raft: Raft, change: ConfChangeV2): ConfState {
  return switchTo(raft, changedMembership(raft, change));
}

/** Takes a membership from its stored form, and checks that the stored form can be made from it again. */
export function restoreConfState(raft: Raft, state: ConfState): void {
  const restored = switchTo(raft, restoreMembership(state, newMemberPolicy(raft)));
  invariant(
    confStatesEqual(state, restored),
    () => `ConfStates not equivalent after sorting: ${JSON.stringify(state)} and ${JSON.stringify(restored)}`,
  );
}

function changedMembership(raft: Raft, change: ConfChangeV2): Membership {
  const { config, progress } = raft.tracker;
  const effect = effectOf(change);
  const policy = newMemberPolicy(raft);
  if (effect.kind === "leave-joint") return leaveJoint({ config, progress }, policy);
  if (effect.kind === "simple") return changeSimply({ config, progress }, change.changes, policy);
  return enterJoint({ config, progress }, change.changes, effect.autoLeave, policy);
}

function newMemberPolicy(raft: Raft): NewMemberPolicy {
  return { lastIndex: raft.log.lastIndex(), newInflights: () => raft.tracker.newInflights() };
}

function switchTo(raft: Raft, { config, progress }: Membership): ConfState {
  const { tracker, id } = raft;
  tracker.switchTo(config, progress);
  raft.logger.info(`${raft.name} switched to configuration ${describeTrackerConfig(config)}`);
  const state = confStateOf(config);
  if (raft.state !== "StateLeader") return state;
  if (!tracker.progress.has(id) || raft.isLearner) {
    // A leader that stays takes no more proposals; its heartbeats only hold up the election of its successor.
    if (raft.config.stepDownOnRemoval) raft.becomeFollower(raft.term, NO_NODE);
    return state;
  }
  if (state.voters.length === 0) return state;
  if (maybeCommit(raft)) {
    // A smaller quorum may have committed entries.
    broadcastAppend(raft);
  } else {
    // New members are probed at once.
    for (const to of tracker.progress.keys())
      if (to !== id) maybeSendAppend(raft, to, { evenIfEmpty: false });
  }
  if (!tracker.voterIds().includes(raft.leadTransferee)) raft.leadTransferee = NO_NODE;
  answerConfirmedReads(raft);
  return state;
}

function confStatesEqual(left: ConfState, right: ConfState): boolean {
  const sameIds = (one: readonly NodeNumber[], other: readonly NodeNumber[]): boolean => {
    return one.length === other.length && one.every((id) => other.includes(id));
  };
  return (
    sameIds(left.voters, right.voters) &&
    sameIds(left.votersOutgoing, right.votersOutgoing) &&
    sameIds(left.learners, right.learners) &&
    sameIds(left.learnersNext, right.learnersNext) &&
    left.autoLeave === right.autoLeave
  );
}
