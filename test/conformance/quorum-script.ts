import { jointCommittedIndex, jointIds, jointVoteResult } from "../../daemon/raft/core/quorum/joint.ts";
import {
  describeAcks,
  majorityCommittedIndex,
  majorityVoteResult,
} from "../../daemon/raft/core/quorum/majority.ts";
import type { AckedIndex } from "../../daemon/raft/core/quorum/majority.ts";
import type { Stanza } from "./datadriven.ts";

/**
 * Runs one stanza of a quorum script: `vote` and `committed` with voters `cfg`, the other half `cfgj` ("zero" for an
 * empty one), and per voter `votes` (y, n, _) or `idx` (a number, _).
 */
export function runQuorumStanza(stanza: Stanza): string {
  const values = (key: string): readonly string[] | undefined => {
    return stanza.args.find((arg) => arg.key === key)?.values;
  };
  const incoming = (values("cfg") ?? []).map(Number);
  const otherHalf = values("cfgj");
  const outgoing = otherHalf === undefined || otherHalf[0] === "zero" ? [] : otherHalf.map(Number);
  const config = { incoming: new Set(incoming), outgoing: new Set(outgoing) };
  const ids = [...new Set([...incoming, ...outgoing])];
  const inputs = (stanza.command === "vote" ? values("votes") : values("idx")) ?? [];
  if (inputs.length !== ids.length) {
    return `error: mismatched input (explicit or _) for voters [${ids.join(" ")}]: [${inputs.join(" ")}]`;
  }
  const given = new Map(
    ids.map((id, position) => [id, inputs[position] ?? "_"] as const).filter(([, input]) => input !== "_"),
  );

  if (stanza.command === "vote") {
    const votes = new Map([...given].map(([id, input]) => [id, input === "y"]));
    const result = jointVoteResult(config, votes);
    const swapped = jointVoteResult({ incoming: config.outgoing, outgoing: config.incoming }, votes);
    const alone = otherHalf === undefined ? majorityVoteResult(config.incoming, votes) : result;
    return `${result}\n${differing("symmetrical computation", swapped, result)}${differing("majority", alone, result)}`;
  }
  if (stanza.command !== "committed") return "unknown command";
  const acked: AckedIndex = (id) => (given.has(id) ? Number(given.get(id)) : undefined);
  const index = jointCommittedIndex(config, acked);
  const swapped = jointCommittedIndex({ incoming: config.outgoing, outgoing: config.incoming }, acked);
  const alone = otherHalf === undefined ? majorityCommittedIndex(config.incoming, acked) : index;
  return (
    `${describeAcks(jointIds(config), acked)}${describeIndex(index)}\n` +
    differing("symmetrical computation", describeIndex(swapped), describeIndex(index)) +
    differing("majority", describeIndex(alone), describeIndex(index))
  );
}

/** The two halves are equal in rank, and a missing half changes nothing; a line tells when that does not hold. */
function differing(name: string, actual: string, expected: string): string {
  return actual === expected ? "" : `${actual} <-- via ${name}\n`;
}

function describeIndex(index: number): string {
  return index === Infinity ? "∞" : String(index);
}
