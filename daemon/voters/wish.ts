import type { NodeId } from "../../scheduler/model/ids.ts";
import type { NodeRecord, VoteWish } from "../../scheduler/model/node.ts";
import { answers } from "./members.ts";
import { nameOf } from "./next-step.ts";
import type { VotersAtHand } from "./next-step.ts";
import { describeQuorumFault, faultOfChange, quorumFault } from "./quorum.ts";
import { wantedVoters } from "./wanted-voters.ts";

/**
 * Why this wish for a node can not be had now, in one line with its arithmetic and what to do; null where it can. A node
 * that the mesh does not know is nobody's wish here: the state refuses it.
 */
export function whyNotWished(at: VotersAtHand, id: NodeId, wish: VoteWish, now: number): string | null {
  const node = at.view.nodes.get(id);
  if (node === undefined || node.leftBehindAt !== null) return null;
  const { view, members, leader } = at;
  const wishOf = (other: NodeRecord): VoteWish => (other === node ? wish : other.vote);
  const after = wantedVoters({ view, members, leader, now, wishOf });
  if (wish === "preferred" && !after.includes(node.number)) return whyNotPreferred(at, node, after.length);
  if (wish === "barred" && after.includes(node.number)) return whyNotBarred(at, node);
  const isHere = hereBy(at);
  const fault = faultOfChange(members.voters, after, isHere);
  if (fault === null) return null;
  const silent = fault.voters.filter((member) => !isHere(member)).map((member) => nameOf(at, member));
  const text = describeQuorumFault(fault, (member) => nameOf(at, member));
  return `${id} can not be ${wish} now: ${text}; start ${silent.join(" or ")} first`;
}

function whyNotPreferred(at: VotersAtHand, node: NodeRecord, seats: number): string {
  if (node.state.kind === "lost") return `${node.id} is lost (${node.state.reason}): start its daemon first`;
  if (node.state.kind === "joining") return `${node.id} has not registered yet: start its daemon first`;
  const preferred = [...at.view.nodes.values()]
    .filter(({ vote }) => vote === "preferred")
    .map(({ id }) => id);
  return `${preferred.join(", ")} are promoted already, and the mesh has ${seats} voters: demote one of them first`;
}

/** Its seat stays with it, since nobody can take it. */
function whyNotBarred(at: VotersAtHand, node: NodeRecord): string {
  const left = at.members.voters.filter((member) => member !== node.number);
  const names = left.map((member) => nameOf(at, member));
  if (left.length === 0)
    return `${node.id} is the only voter, and no other node can vote: join another one first`;
  const isHere = hereBy(at);
  const fault = quorumFault(left, isHere);
  const leaves = `demoting ${node.id} leaves ${left.length} voters, ${names.join(", ")}`;
  if (fault === null)
    return `${leaves}, and a mesh that has ${left.length + 1} keeps so many, to bear a loss: join another node first`;
  const silent = left.filter((member) => !isHere(member)).map((member) => nameOf(at, member));
  const { answering, needed } = fault;
  return (
    `${leaves}, of which ${answering.length} ${answering.length === 1 ? "answers" : "answer"}: ` +
    `${needed} are needed; start ${silent.join(" or ")} first, or join another node`
  );
}

/** A member answers raft; a node that is none yet will, while it holds its session. */
function hereBy({ view, members, progress, leader }: VotersAtHand): (number: number) => boolean {
  return (number) => {
    const isMember = members.voters.includes(number) || members.learners.includes(number);
    if (isMember) return number === leader || answers(progress.get(number));
    return view.nodeByNumber(number)?.state.kind === "ready";
  };
}
