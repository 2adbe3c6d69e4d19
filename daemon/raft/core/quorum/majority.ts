import type { NodeNumber } from "../entry.ts";
import type { VoteResult } from "./vote-result.ts";

/** Voters that decide by majority. The empty set agrees to everything, which makes it neutral in a joint quorum. */
export type MajorityConfig = ReadonlySet<NodeNumber>;

/** The index that each voter has acknowledged; undefined for a voter that has not been heard of. */
export type AckedIndex = (id: NodeNumber) => number | undefined;

/** Members in ascending order. */
export function sortedIds(ids: Iterable<NodeNumber>): NodeNumber[] {
  return [...ids].toSorted((left, right) => left - right);
}

/** The highest index that a majority has acknowledged; Infinity for the empty set. */
export function majorityCommittedIndex(voters: MajorityConfig, acked: AckedIndex): number {
  if (voters.size === 0) return Infinity;
  const ascending = sortedIds([...voters].map((id) => acked(id) ?? 0));
  // The smallest of the upper majority: of 3 the second, of 4 the second, of 5 the third.
  const position = voters.size - (Math.floor(voters.size / 2) + 1);
  return ascending[position] ?? 0;
}

/** Counts the votes given so far; a voter without an entry in `votes` may still vote either way. */
export function majorityVoteResult(
  voters: MajorityConfig,
  votes: ReadonlyMap<NodeNumber, boolean>,
): VoteResult {
  if (voters.size === 0) return "VoteWon";
  let granted = 0;
  let missing = 0;
  for (const id of voters) {
    const vote = votes.get(id);
    if (vote === undefined) missing += 1;
    else if (vote) granted += 1;
  }
  const needed = Math.floor(voters.size / 2) + 1;
  if (granted >= needed) return "VoteWon";
  return granted + missing >= needed ? "VotePending" : "VoteLost";
}

/** "(1 2 3)" */
export function describeMajority(voters: MajorityConfig): string {
  return `(${sortedIds(voters).join(" ")})`;
}

/** A table of the acknowledged indexes, each with a bar as long as the number of voters that are behind it. */
export function describeAcks(voters: MajorityConfig, acked: AckedIndex): string {
  if (voters.size === 0) return "<empty majority quorum>";
  const rows = sortedIds(voters).map((id) => ({ id, index: acked(id) }));
  const width = rows.length;
  const lines = rows.map(({ id, index }) => {
    const behind = rows.filter((other) => (other.index ?? 0) < (index ?? 0)).length;
    const bar = index === undefined ? "?".padEnd(width + 1) : `${"x".repeat(behind)}>`.padEnd(width + 1);
    return `${bar} ${String(index ?? 0).padStart(5)}    (id=${id})\n`;
  });
  return `${" ".repeat(width)}    idx\n${lines.join("")}`;
}
