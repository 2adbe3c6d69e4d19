import type { NodeNumber } from "../../daemon/raft/core/core.ts";
import { jointCommittedIndex, jointIds, jointVoteResult } from "../../daemon/raft/core/quorum/joint.ts";
import type { JointConfig } from "../../daemon/raft/core/quorum/joint.ts";
import {
  describeAcks,
  majorityCommittedIndex,
  majorityVoteResult,
  sortedIds,
} from "../../daemon/raft/core/quorum/majority.ts";
import type { AckedIndex, MajorityConfig } from "../../daemon/raft/core/quorum/majority.ts";
import { parseUnsigned, valuesOf } from "./arguments.ts";
import type { Stanza } from "./datadriven.ts";

/** How votes are listed in a complaint about their number. */
const VOTE_NUMBERS: ReadonlyMap<string, number> = new Map([
  ["_", 0],
  ["n", 1],
  ["y", 2],
]);

/**
 * Runs one stanza of a quorum script: `vote` and `committed` with voters `cfg`, the other half `cfgj` ("zero" for an
 * empty one), and per voter, each one once in the order of their mention, `votes` (y, n, _) or `idx` (a number, _).
 * Laws that a result must satisfy are checked on the way; a line before the result tells when one does not hold.
 */
export function runQuorumStanza(stanza: Stanza): string {
  const { command, args } = stanza;
  const unknown = args.find(({ key, values }) => values.length > 0 && !isKnownKey(key));
  if (unknown !== undefined) throw new Error(`unknown arg ${unknown.key}`);
  if (command !== "vote" && command !== "committed") throw new Error(`unknown command: ${command}`);

  const incoming = valuesOf(args, "cfg").map(parseUnsigned);
  const otherHalf = valuesOf(args, "cfgj");
  if (otherHalf.includes("zero") && otherHalf.length > 1) {
    throw new Error("cannot mix 'zero' into configuration");
  }
  const outgoing = otherHalf[0] === "zero" ? [] : otherHalf.map(parseUnsigned);
  const config: JointConfig = { incoming: new Set(incoming), outgoing: new Set(outgoing) };
  const inputs = (command === "vote" ? valuesOf(args, "votes") : valuesOf(args, "idx")).map(
    command === "vote" ? parseVote : parseIndex,
  );

  const ids = jointIds(config);
  if (inputs.length !== ids.size) {
    const voters = sortedIds(ids).map((id) => `${id}:{}`);
    return `error: mismatched input (explicit or _) for voters map[${voters.join(" ")}]: [${inputs.join(" ")}]`;
  }
  const inOrder = [...new Set([...incoming, ...outgoing])];
  const given = new Map(
    inOrder.map((id, position) => [id, inputs[position] ?? 0] as const).filter(([, input]) => input !== 0),
  );
  const isJoint = otherHalf.length > 0;
  if (command === "vote") return isJoint ? voteOfBoth(config, given) : voteOfOne(config.incoming, given);
  const acked: AckedIndex = (id) => given.get(id);
  return isJoint ? committedByBoth(config, acked) : committedByOne(config.incoming, acked);
}

function voteOfOne(voters: MajorityConfig, given: ReadonlyMap<NodeNumber, number>): string {
  return `${majorityVoteResult(voters, asVotes(given))}\n`;
}

function voteOfBoth(config: JointConfig, given: ReadonlyMap<NodeNumber, number>): string {
  const votes = asVotes(given);
  const result = jointVoteResult(config, votes);
  return `${differing("via symmetry", jointVoteResult(swapped(config), votes), result)}${result}\n`;
}

function committedByBoth(config: JointConfig, acked: AckedIndex): string {
  const index = describeIndex(jointCommittedIndex(config, acked));
  const other = describeIndex(jointCommittedIndex(swapped(config), acked));
  return `${describeAcks(jointIds(config), acked)}${differing("via symmetry", other, index)}${index}\n`;
}

function committedByOne(voters: MajorityConfig, acked: AckedIndex): string {
  const committed = majorityCommittedIndex(voters, acked);
  const index = describeIndex(committed);
  const nobody: MajorityConfig = new Set();
  const alternatives: readonly (readonly [name: string, index: number])[] = [
    ["via alternative computation", countedCommittedIndex(voters, acked)],
    ["via zero-joint quorum", jointCommittedIndex({ incoming: voters, outgoing: nobody }, acked)],
    ["via self-joint quorum", jointCommittedIndex({ incoming: voters, outgoing: voters }, acked)],
    // Who is behind already can fall further behind without effect.
    ...[...voters]
      .filter((id) => (acked(id) ?? 0) > 0 && (acked(id) ?? 0) < committed)
      .map((id) => [`overlaying ${id}->0`, majorityCommittedIndex(voters, lowered(acked, id))] as const),
  ];
  const complaints = alternatives.map(([name, each]) => differing(name, describeIndex(each), index));
  return `${describeAcks(voters, acked)}${complaints.join("")}${index}\n`;
}

/** The highest acknowledged index that a majority has acknowledged, found by counting for each one. */
function countedCommittedIndex(voters: MajorityConfig, acked: AckedIndex): number {
  if (voters.size === 0) return Infinity;
  const indexes = [...voters].map((id) => acked(id) ?? 0);
  const held = indexes.filter(
    (index) => indexes.filter((other) => other >= index).length > indexes.length / 2,
  );
  return Math.max(0, ...held);
}

function lowered(acked: AckedIndex, lagging: NodeNumber): AckedIndex {
  return (id) => (id === lagging ? 0 : acked(id));
}

function swapped({ incoming, outgoing }: JointConfig): JointConfig {
  return { incoming: outgoing, outgoing: incoming };
}

function asVotes(given: ReadonlyMap<NodeNumber, number>): ReadonlyMap<NodeNumber, boolean> {
  return new Map([...given].map(([id, vote]) => [id, vote === VOTE_NUMBERS.get("y")]));
}

function differing(name: string, actual: string, expected: string): string {
  return actual === expected ? "" : `${actual} <-- ${name}\n`;
}

function describeIndex(index: number): string {
  return index === Infinity ? "∞" : String(index);
}

function isKnownKey(key: string): boolean {
  return ["cfg", "cfgj", "idx", "votes"].includes(key);
}

function parseVote(text: string): number {
  const vote = VOTE_NUMBERS.get(text);
  if (vote === undefined) throw new Error(`unknown vote: ${text}`);
  return vote;
}

/** 0 stands for no index at all, which is why it cannot be given. */
function parseIndex(text: string): number {
  if (text === "_") return 0;
  const index = parseUnsigned(text);
  if (index === 0) throw new Error("cannot use 0 as idx");
  return index;
}
