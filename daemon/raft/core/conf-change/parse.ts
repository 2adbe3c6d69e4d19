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
 * Reads changes written as "v1 l2 r3 u4": make 1 a voter, make 2 a learner, remove 3, update 4.
 * @throws RaftError `conf-change-invalid` that quotes the faulty word
 */
export function parseConfChanges(text: string): readonly ConfChangeSingle[] {
  const words = text.split(/\s+/).filter((word) => word !== "");
  return words.map((word) => {
    const type = TYPE_OF_LETTER.get(word.charAt(0));
    const digits = word.slice(1);
    const nodeId = Number(digits);
    if (type === undefined || !/^\d+$/.test(digits) || !Number.isSafeInteger(nodeId)) {
      throw new RaftError(
        "conf-change-invalid",
        `"${word}" is not one of v, l, r, u with a node number, as in v1`,
      );
    }
    return { type, nodeId };
  });
}

/** The inverse of `parseConfChanges`. */
export function describeConfChanges(changes: readonly ConfChangeSingle[]): string {
  return changes.map(({ type, nodeId }) => `${LETTER_OF_TYPE.get(type)}${nodeId}`).join(" ");
}
