import type { NodeRecord, VoteWish } from "../../scheduler/model/node.ts";
import type { StateView } from "../../scheduler/state/state.ts";
import type { Members } from "./members.ts";

export interface WantedVotersOptions {
  readonly view: StateView;
  readonly members: Members;
  readonly leader: number | null;
  /** Unix ms, of the same clock as the times in the state. */
  readonly now: number;
  /** Stands for the wish in the state, to see what another one would lead to. */
  readonly wishOf?: (node: NodeRecord) => VoteWish;
}

/** A node or voter that a seat can be given to. */
interface Candidate {
  readonly number: number;
  readonly preferred: boolean;
  readonly spot: boolean;
  readonly domain: string | null;
  readonly isVoter: boolean;
  readonly isLearner: boolean;
  /** It has been ready for as long as a lost voter is waited for. */
  readonly settled: boolean;
}

/**
 * Who should vote, ascending. Pure: the same nodes and members give the same voters on every leader.
 *
 * How many: one until there are three nodes that can vote, then three; five from five nodes on that are not spot, since
 * five voters are only worth their longer way to a majority where losing two at a time is rarer than being taken away.
 * A mesh that has three never goes back to one by itself: two votes lost would then be all.
 *
 * Who: first those that people prefer, then whoever has a seat, then not spot, then another failure domain than those
 * chosen before, then the lower number. A voter that was lost long enough, or is barred, loses its seat as soon as
 * somebody can take it, or where fewer seats are left. When nothing else is to be done, one seat at a time is moved to a
 * node that suits better (not spot, or spread wider), and only to one that has stayed for as long as the lost are waited for.
 */
export function wantedVoters(options: WantedVotersOptions): readonly number[] {
  const { members, leader } = options;
  const candidates = candidatesOf(options);
  const size = seatsFor(candidates, members.voters.length);
  const chosen: Candidate[] = [];
  while (chosen.length < size) {
    const left = candidates.filter((candidate) => !chosen.includes(candidate));
    const best = first(left, (one) => seatRank(one, chosen, leader));
    if (best === undefined) break;
    chosen.push(best);
  }
  if (chosen.length < size) return withoutSubstitutes(options, chosen, size);
  const isUnchanged =
    size === members.voters.length && chosen.every(({ number }) => members.voters.includes(number));
  return ascending((isUnchanged ? improved(chosen, candidates, leader) : chosen).map(({ number }) => number));
}

/** Nodes that can vote now, and voters that are waited for. */
function candidatesOf({ view, members, now, wishOf }: WantedVotersOptions): readonly Candidate[] {
  const replaceAfterMs = view.mesh?.voterReplaceAfterMs ?? Infinity;
  const candidates: Candidate[] = [];
  for (const node of view.nodes.values()) {
    const { number, state, facts } = node;
    const wish = wishOf?.(node) ?? node.vote;
    const isVoter = members.voters.includes(number);
    const waitedFor = isVoter && (state.kind !== "lost" || now - state.since < replaceAfterMs);
    if (wish === "barred" || node.leftBehindAt !== null) continue;
    if (state.kind !== "ready" && !waitedFor) continue;
    candidates.push({
      number,
      preferred: wish === "preferred",
      spot: facts?.spot ?? false,
      domain: facts?.failureDomain ?? null,
      isVoter,
      isLearner: members.learners.includes(number),
      settled: state.kind === "ready" && now - state.since >= replaceAfterMs,
    });
  }
  // A founder votes before the mesh knows of any node.
  const unknown = members.voters.filter((number) => view.nodeByNumber(number) === null);
  const nothing = { preferred: false, spot: false, domain: null, isLearner: false, settled: false };
  return [...candidates, ...unknown.map((number) => ({ ...nothing, number, isVoter: true }))];
}

function seatsFor(candidates: readonly Candidate[], seatsNow: number): number {
  const steady = candidates.filter(({ spot }) => !spot).length;
  const seats = steady >= 5 ? 5 : candidates.length >= 3 ? 3 : 1;
  return seatsNow >= 3 ? Math.max(3, seats) : seats;
}

/** Smaller goes first, the earlier number before the later. The leader's seat is dearest: to move it costs an election. */
function seatRank(one: Candidate, chosen: readonly Candidate[], leader: number | null): readonly number[] {
  return [
    one.preferred ? 0 : 1,
    one.isVoter ? 0 : 1,
    one.spot ? 1 : 0,
    one.number === leader ? 0 : 1,
    inDomainOf(one, chosen),
    one.isLearner ? 0 : 1,
    one.number,
  ];
}

/** Voters that should go stay while nobody can take their seats: the lost before the barred. */
function withoutSubstitutes(
  { view, members, wishOf }: WantedVotersOptions,
  chosen: readonly Candidate[],
  size: number,
): readonly number[] {
  const taken = chosen.map(({ number }) => number);
  const barred = (number: number): number => {
    const node = view.nodeByNumber(number);
    return node !== null && (wishOf?.(node) ?? node.vote) === "barred" ? 1 : 0;
  };
  const staying = members.voters
    .filter((number) => !taken.includes(number))
    .toSorted((a, b) => barred(a) - barred(b) || a - b);
  const seats = Math.min(size, members.voters.length);
  return ascending([...taken, ...staying.slice(0, Math.max(0, seats - taken.length))]);
}

/** The same voters, or one of them replaced by a settled node that suits better. */
function improved(
  chosen: readonly Candidate[],
  candidates: readonly Candidate[],
  leader: number | null,
): readonly Candidate[] {
  const outside = candidates.filter((one) => one.settled && !chosen.includes(one));
  const newcomers = outside.toSorted(by((one) => [one.spot ? 1 : 0, inDomainOf(one, chosen), one.number]));
  for (const newcomer of newcomers) {
    const replaceable = chosen.filter((voter) => !voter.preferred && suitsBetter(newcomer, voter, chosen));
    const worst = first(replaceable, (voter) => [
      voter.spot ? 0 : 1,
      -inDomainOf(voter, chosen),
      voter.number === leader ? 1 : 0,
      -voter.number,
    ]);
    if (worst !== undefined) return [...chosen.filter((voter) => voter !== worst), newcomer];
  }
  return chosen;
}

/** Strictly fewer spot voters, or as many and strictly less company in the failure domains: so this comes to an end. */
function suitsBetter(newcomer: Candidate, voter: Candidate, chosen: readonly Candidate[]): boolean {
  if (newcomer.spot !== voter.spot) return voter.spot;
  if (newcomer.domain === null || voter.domain === null) return false;
  const others = chosen.filter((one) => one !== voter);
  return inDomainOf(newcomer, others) < inDomainOf(voter, others);
}

/** How many of the others fail with this one, as far as that is known. */
function inDomainOf(one: Candidate, others: readonly Candidate[]): number {
  if (one.domain === null) return 0;
  return others.filter((other) => other !== one && other.domain === one.domain).length;
}

function first(
  list: readonly Candidate[],
  rank: (one: Candidate) => readonly number[],
): Candidate | undefined {
  return list.toSorted(by(rank))[0];
}

function by(rank: (one: Candidate) => readonly number[]): (a: Candidate, b: Candidate) => number {
  return (a, b) => {
    const other = rank(b);
    const differing = rank(a).map((value, nth) => value - (other[nth] ?? 0));
    return differing.find((difference) => difference !== 0) ?? 0;
  };
}

function ascending(numbers: readonly number[]): readonly number[] {
  return numbers.toSorted((a, b) => a - b);
}
