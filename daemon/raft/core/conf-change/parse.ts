import { RaftError } from "../errors.ts";
import type { ConfChangeSingle, ConfChangeType } from "./conf-change.ts";

const TYPE_OF_LETTER: ReadonlyMap<string, ConfChangeType> = new Map([
  ["v", "ConfChangeAddNode"],
  ["l", "ConfChangeAddLearnerNode"],
  ["r", "ConfChangeRemoveNode"],
  ["u", "ConfChangeUpdateNode"],
]);

const LETTER_OF_TYPE: ReadonlyMap<ConfChangeType, string> = new Map(
  [...TYPE_OF_LETTER].map(([letter, type]) => [type, letter]),
);

/**
 * Reads changes written as "v1 l2 r3 u4", with one blank between them: make 1 a voter, make 2 a learner, remove 3,
 * update 4. The notation, and the words in which a faulty one is refused, are those of etcd-io/raft.
 * @throws RaftError `conf-change-invalid` that quotes the faulty word
 */
export function parseConfChanges(text: string): readonly ConfChangeSingle[] {
  const trimmed = text.trim();
  if (trimmed === "") return [];
  return trimmed.split(" ").map((word) => {
    const refuse = (reason: string): never => {
      throw new RaftError("conf-change-invalid", reason);
    };
    if (word.length < 2) return refuse(`unknown token ${word}`);
    const type = TYPE_OF_LETTER.get(word.charAt(0));
    if (type === undefined) return refuse(`unknown input: ${word}`);
    const digits = word.slice(1);
    const parsing = `strconv.ParseUint: parsing ${JSON.stringify(digits)}`;
    if (!/^\d+$/.test(digits)) return refuse(`${parsing}: invalid syntax`);
    const nodeId = Number(digits);
    if (!Number.isSafeInteger(nodeId)) return refuse(`${parsing}: value out of range`);
    return { type, nodeId };
  });
}

/** The inverse of `parseConfChanges`. */
export function describeConfChanges(changes: readonly ConfChangeSingle[]): string {
  return changes.map(({ type, nodeId }) => `${LETTER_OF_TYPE.get(type)}${nodeId}`).join(" ");
}
