import type { StateView } from "../../scheduler/state/state.ts";
import { answers, hasCaughtUp } from "./members.ts";
import type { MemberChange, MemberProgress, Members } from "./members.ts";
import { describeQuorumFault, faultOfChange } from "./quorum.ts";

/** What a leader knows of the members. */
export interface VotersAtHand {
  readonly view: StateView;
  readonly members: Members;
  readonly progress: ReadonlyMap<number, MemberProgress>;
  readonly lastIndex: number;
  /** The number of the leader, who asks. */
  readonly leader: number;
}

export type VoterStep =
  | { readonly kind: "change"; readonly changes: readonly MemberChange[] }
  /** The leader is to go: another one carries out the change that removes it. */
  | { readonly kind: "handOver"; readonly to: number }
  /** The wanted voters can not be made yet. */
  | { readonly kind: "wait"; readonly reason: string }
  | { readonly kind: "done" };

/**
 * The next step from the members of now to the wanted voters. New voters are learners first; once all of them have the log,
 * one change adds them and removes whom they replace. No step begins while another change is under way, or unless those
 * who answer now are a majority both before and after it. A leader never removes itself: it may end before the others
 * know, and of an even number left the half that knows is no majority.
 */
export function nextStep(at: VotersAtHand, wanted: readonly number[]): VoterStep {
  const { members, progress, lastIndex, leader } = at;
  const { voters, learners } = members;
  if (members.joint) return { kind: "wait", reason: "a change of the voters is under way" };
  const isHere = (member: number): boolean => member === leader || answers(progress.get(member));
  const incoming = wanted.filter((number) => !voters.includes(number));
  const outgoing = voters.filter((number) => !wanted.includes(number));

  const learning: readonly MemberChange[] = [
    ...incoming.filter((number) => !learners.includes(number)).map(change("addLearner")),
    ...learners.filter((number) => !wanted.includes(number)).map(change("remove")),
  ];
  if (learning.length > 0) return checked(at, learning, voters, isHere);
  if (incoming.length === 0 && outgoing.length === 0) return { kind: "done" };

  const behind = incoming.find((number) => !isHere(number) || !hasCaughtUp(progress.get(number), lastIndex));
  if (behind !== undefined) return { kind: "wait", reason: whyBehind(at, behind) };
  if (!outgoing.includes(leader)) {
    return checked(
      at,
      [...incoming.map(change("addVoter")), ...outgoing.map(change("remove"))],
      wanted,
      isHere,
    );
  }
  const heirs = voters.filter(
    (number) => wanted.includes(number) && isHere(number) && hasCaughtUp(progress.get(number), lastIndex),
  );
  const heir = heirs.toSorted((a, b) => matchOf(at, b) - matchOf(at, a) || a - b)[0];
  if (heir !== undefined) return { kind: "handOver", to: heir };
  // Nobody who stays can lead yet: the new ones come in first, beside the old.
  const beside = [...voters, ...incoming];
  if (incoming.length > 0) return checked(at, incoming.map(change("addVoter")), beside, isHere);
  return { kind: "wait", reason: `no voter that stays can take the lead of ${nameOf(at, leader)}` };
}

function checked(
  at: VotersAtHand,
  changes: readonly MemberChange[],
  votersAfter: readonly number[],
  isHere: (member: number) => boolean,
): VoterStep {
  const fault = faultOfChange(at.members.voters, votersAfter, isHere);
  if (fault === null) return { kind: "change", changes };
  return { kind: "wait", reason: describeQuorumFault(fault, (member) => nameOf(at, member)) };
}

function change(kind: MemberChange["kind"]): (member: number) => MemberChange {
  return (member) => ({ kind, member });
}

function whyBehind(at: VotersAtHand, member: number): string {
  const match = matchOf(at, member);
  if (match === 0 || !answers(at.progress.get(member))) {
    return `${nameOf(at, member)} is to vote, and does not answer yet`;
  }
  return `${nameOf(at, member)} is to vote, and lacks ${at.lastIndex - match} entries of the log`;
}

function matchOf({ progress }: VotersAtHand, member: number): number {
  return progress.get(member)?.match ?? 0;
}

/** The name of a member, or its number where the mesh does not know it yet. */
export function nameOf({ view }: { readonly view: StateView }, member: number): string {
  return view.nodeByNumber(member)?.id ?? `member ${member}`;
}
