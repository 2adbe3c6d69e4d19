import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jointCommittedIndex, jointVoteResult } from "./joint.ts";
import { majorityCommittedIndex, majorityVoteResult } from "./majority.ts";
import type { VoteResult } from "./vote-result.ts";

const voters = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 7 }).map((ids) => new Set(ids));
const acks = fc.dictionary(fc.integer({ min: 1, max: 9 }).map(String), fc.integer({ min: 0, max: 12 }));
const ballots = fc.dictionary(fc.integer({ min: 1, max: 9 }).map(String), fc.boolean());

/** By definition: the highest index for which the voters that have it are more than half. */
function naiveCommittedIndex(ids: ReadonlySet<number>, acked: (id: number) => number | undefined): number {
  if (ids.size === 0) return Infinity;
  let best = 0;
  for (let index = 1; index <= 12; index += 1) {
    const having = [...ids].filter((id) => (acked(id) ?? 0) >= index).length;
    if (2 * having > ids.size) best = index;
  }
  return best;
}

/** By definition: decided when all ways in which the missing votes can still be given have the same end. */
function naiveVoteResult(
  halves: readonly ReadonlySet<number>[],
  votes: ReadonlyMap<number, boolean>,
): VoteResult {
  const missing = [...new Set(halves.flatMap((ids) => [...ids]))].filter((id) => !votes.has(id));
  const ends = new Set<boolean>();
  for (let ways = 0; ways < 2 ** missing.length; ways += 1) {
    const all = new Map(votes);
    missing.forEach((id, bit) => all.set(id, (ways & (1 << bit)) !== 0));
    ends.add(
      halves.every((ids) => ids.size === 0 || 2 * [...ids].filter((id) => all.get(id)).length > ids.size),
    );
  }
  if (ends.size === 2) return "VotePending";
  return ends.has(true) ? "VoteWon" : "VoteLost";
}

const lookup =
  (given: Readonly<Record<string, number>>) =>
  (id: number): number | undefined =>
    given[String(id)];
const asVotes = (given: Readonly<Record<string, boolean>>): ReadonlyMap<number, boolean> => {
  return new Map(Object.entries(given).map(([id, vote]) => [Number(id), vote]));
};

describe("a majority quorum", () => {
  it("commits what the definition says", () => {
    fc.assert(
      fc.property(voters, acks, (ids, given) => {
        expect(majorityCommittedIndex(ids, lookup(given))).toBe(naiveCommittedIndex(ids, lookup(given)));
      }),
    );
  });

  it("decides a vote when the missing votes cannot change it", () => {
    fc.assert(
      fc.property(voters, ballots, (ids, given) => {
        expect(majorityVoteResult(ids, asVotes(given))).toBe(naiveVoteResult([ids], asVotes(given)));
      }),
    );
  });

  it("never commits two quorums that do not meet", () => {
    fc.assert(
      fc.property(voters, ballots, (ids, given) => {
        const votes = asVotes(given);
        const opposite = new Map([...votes].map(([id, vote]) => [id, !vote]));
        const both = [majorityVoteResult(ids, votes), majorityVoteResult(ids, opposite)];
        expect(ids.size > 0 && both.every((result) => result === "VoteWon")).toBe(false);
      }),
    );
  });
});

describe("a joint quorum", () => {
  it("commits what both halves commit", () => {
    fc.assert(
      fc.property(voters, voters, acks, (incoming, outgoing, given) => {
        const naive = Math.min(
          naiveCommittedIndex(incoming, lookup(given)),
          naiveCommittedIndex(outgoing, lookup(given)),
        );
        expect(jointCommittedIndex({ incoming, outgoing }, lookup(given))).toBe(naive);
      }),
    );
  });

  it("wins when both halves are won, and is lost as soon as one is", () => {
    fc.assert(
      fc.property(voters, voters, ballots, (incoming, outgoing, given) => {
        const votes = asVotes(given);
        const parts = [incoming, outgoing].map((ids) => majorityVoteResult(ids, votes));
        const expected = parts.includes("VoteLost")
          ? "VoteLost"
          : parts.includes("VotePending")
            ? "VotePending"
            : "VoteWon";
        expect(jointVoteResult({ incoming, outgoing }, votes)).toBe(expected);
      }),
    );
  });
});
