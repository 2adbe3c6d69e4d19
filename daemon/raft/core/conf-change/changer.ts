import { NO_NODE } from "../entry.ts";
import type { NodeNumber } from "../entry.ts";
import { RaftError, invariant } from "../errors.ts";
import { isJoint, jointIds } from "../quorum/joint.ts";
import type { MajorityConfig } from "../quorum/majority.ts";
import type { Inflights } from "../tracker/inflights.ts";
import { Progress } from "../tracker/progress.ts";
import type { TrackerConfig } from "../tracker/tracker.ts";
import type { ConfChangeSingle } from "./conf-change.ts";

/** A membership with the progress of its members. */
export interface Membership {
  readonly config: TrackerConfig;
  readonly progress: ReadonlyMap<NodeNumber, Progress>;
}

/** What a new member starts with. */
export interface NewMemberPolicy {
  /** The last index of the log: a new member is probed from here, since it will most likely need a snapshot. */
  readonly lastIndex: number;
  readonly newInflights: () => Inflights;
}

/**
 * Enters a joint membership whose outgoing half are the voters of now (thesis, section 4.3).
 * The result is a new value, as with all changes here. @throws RaftError `conf-change-invalid`
 */
export function enterJoint(
  from: Membership,
  changes: readonly ConfChangeSingle[],
  autoLeave: boolean,
  policy: NewMemberPolicy,
): Membership {
  const draft = new Draft(from, policy);
  if (isJoint(from.config.voters)) refuse("config is already joint");
  if (from.config.voters.incoming.size === 0) refuse("can't make a zero-voter config joint");
  draft.outgoing = new Set(draft.incoming);
  draft.apply(changes);
  draft.autoLeave = autoLeave;
  return draft.finish();
}

/** Leaves a joint membership: its incoming half decides alone from now on. */
export function leaveJoint(from: Membership, policy: NewMemberPolicy): Membership {
  const draft = new Draft(from, policy);
  if (!isJoint(from.config.voters)) refuse("can't leave a non-joint config");
  for (const id of draft.learnersNext) {
    draft.learners.add(id);
    draft.member(id).isLearner = true;
  }
  draft.learnersNext.clear();
  for (const id of draft.outgoing) {
    if (!draft.incoming.has(id) && !draft.learners.has(id)) draft.progress.delete(id);
  }
  draft.outgoing.clear();
  draft.autoLeave = false;
  return draft.finish();
}

/**
 * Changes at most one voter, for then any majority of before meets any majority of after (thesis, section 4.1). Any
 * number of learners may change.
 */
export function changeSimply(
  from: Membership,
  changes: readonly ConfChangeSingle[],
  policy: NewMemberPolicy,
): Membership {
  const draft = new Draft(from, policy);
  if (isJoint(from.config.voters)) refuse("can't apply simple config change in joint config");
  draft.apply(changes);
  if (differingIds(from.config.voters.incoming, draft.incoming) > 1) {
    refuse("more than one voter changed without entering joint config");
  }
  return draft.finish();
}

function refuse(text: string): never {
  throw new RaftError("conf-change-invalid", text);
}

function differingIds(left: MajorityConfig, right: MajorityConfig): number {
  const only = (one: MajorityConfig, other: MajorityConfig): number =>
    [...one].filter((id) => !other.has(id)).length;
  return only(left, right) + only(right, left);
}

/** A membership that is being changed; made of copies, so that a refused change leaves no trace. */
class Draft {
  readonly incoming: Set<NodeNumber>;
  outgoing: Set<NodeNumber>;
  readonly learners: Set<NodeNumber>;
  readonly learnersNext: Set<NodeNumber>;
  readonly progress: Map<NodeNumber, Progress>;
  autoLeave: boolean;
  readonly #policy: NewMemberPolicy;

  constructor({ config, progress }: Membership, policy: NewMemberPolicy) {
    this.incoming = new Set(config.voters.incoming);
    this.outgoing = new Set(config.voters.outgoing);
    this.learners = new Set(config.learners);
    this.learnersNext = new Set(config.learnersNext);
    this.autoLeave = config.autoLeave;
    this.progress = new Map([...progress].map(([id, each]) => [id, each.copy()]));
    this.#policy = policy;
    this.#checkInvariants();
  }

  member(id: NodeNumber): Progress {
    const member = this.progress.get(id);
    invariant(member !== undefined, () => `no progress for ${id}`);
    return member;
  }

  apply(changes: readonly ConfChangeSingle[]): void {
    for (const { type, nodeId } of changes) {
      // A change is voided by its node number when the caller has decided against it at apply time.
      if (nodeId === NO_NODE) continue;
      if (type === "ConfChangeAddNode") this.#makeVoter(nodeId);
      else if (type === "ConfChangeAddLearnerNode") this.#makeLearner(nodeId);
      else if (type === "ConfChangeRemoveNode") this.#remove(nodeId);
    }
    if (this.incoming.size === 0) refuse("removed all voters");
  }

  finish(): Membership {
    this.#checkInvariants();
    const { incoming, outgoing, learners, learnersNext, autoLeave, progress } = this;
    return { config: { voters: { incoming, outgoing }, learners, learnersNext, autoLeave }, progress };
  }

  #makeVoter(id: NodeNumber): void {
    const member = this.progress.get(id) ?? this.#newMember(id);
    member.isLearner = false;
    this.learners.delete(id);
    this.learnersNext.delete(id);
    this.incoming.add(id);
  }

  /**
   * A voter of the outgoing half stays one until the joint membership is left, since voters and learners are disjoint;
   * `learnersNext` remembers what it is to become.
   */
  #makeLearner(id: NodeNumber): void {
    const member = this.progress.get(id) ?? this.#newMember(id);
    this.#remove(id);
    this.progress.set(id, member);
    if (this.outgoing.has(id)) {
      this.learnersNext.add(id);
    } else {
      member.isLearner = true;
      this.learners.add(id);
    }
  }

  #remove(id: NodeNumber): void {
    this.incoming.delete(id);
    this.learners.delete(id);
    this.learnersNext.delete(id);
    // A voter of the outgoing half must still be fed.
    if (!this.outgoing.has(id)) this.progress.delete(id);
  }

  #newMember(id: NodeNumber): Progress {
    // A new member counts as active, or check-quorum could depose the leader before it has had a chance to answer.
    const options = { isLearner: false, recentActive: true };
    const member = new Progress(Math.max(this.#policy.lastIndex, 1), this.#policy.newInflights(), options);
    this.progress.set(id, member);
    return member;
  }

  #checkInvariants(): void {
    for (const id of [...jointIds(this), ...this.learners, ...this.learnersNext]) this.member(id);
    for (const id of this.learnersNext) {
      invariant(this.outgoing.has(id), () => `${id} is in LearnersNext, but not Voters[1]`);
      invariant(
        !this.member(id).isLearner,
        () => `${id} is in LearnersNext, but is already marked as learner`,
      );
    }
    for (const id of this.learners) {
      invariant(!this.outgoing.has(id), () => `${id} is in Learners and Voters[1]`);
      invariant(!this.incoming.has(id), () => `${id} is in Learners and Voters[0]`);
      invariant(this.member(id).isLearner, () => `${id} is in Learners, but is not marked as learner`);
    }
    if (isJoint(this)) return;
    invariant(this.learnersNext.size === 0, () => "LearnersNext must be nil when not joint");
    invariant(!this.autoLeave, () => "AutoLeave must be false when not joint");
  }
}
