import { z } from "zod";
import { listEntriesMax, nameLengthMax, pathLengthMax, processCountMax, textLengthMax } from "./limits.ts";

/**
 * The leaves that job file schemas are made of. The message of each is what the user is told is allowed; that of an
 * object lists its property names, from which `schema-faults.ts` picks the nearest.
 */

/** Any text without NUL, empty included. */
export function text(what = "text", lengthMax = textLengthMax) {
  const message = `${what} of at most ${lengthMax} characters, without NUL`;
  return z
    .string(message)
    .max(lengthMax, message)
    .regex(/^[^\0]*$/, message);
}

/** Text with at least one character that is not blank. */
export function filledText(what: string, lengthMax = textLengthMax) {
  const message = `${what}: 1 to ${lengthMax} characters, not all blank, without NUL`;
  return z
    .string(message)
    .max(lengthMax, message)
    .regex(/^[^\0]*[^\s\0][^\0]*$/, message);
}

/** A path on a node; `$NAME` and `${NAME}` may stand in it. Relative ones count from the working directory. */
export function anyPath(what: string) {
  return filledText(what, pathLengthMax);
}

/** A path that starts at `/` or with a variable. */
export function absolutePath(what: string) {
  const message = `${what}: an absolute path, or one that starts with a $VARIABLE, of at most ${pathLengthMax} characters`;
  return z
    .string(message)
    .max(pathLengthMax, message)
    .regex(/^[/$][^\0]*$/, message);
}

/** A path below another: no leading `/`, no `..`. */
export function relativePath(what: string) {
  const message = `${what}: a relative path without "..", of at most ${pathLengthMax} characters`;
  return z
    .string(message)
    .max(pathLengthMax, message)
    .regex(/^(?!\/)(?!(?:[^\0]*\/)?\.\.(?:\/|$))[^\0]*$/, message);
}

/** Batch AI's resource names. */
export function resourceName(what: string) {
  const message = `${what}: 1 to ${nameLengthMax} letters, digits, "-" and "_"`;
  return z
    .string(message)
    .max(nameLengthMax, message)
    .regex(/^[-\w]+$/, message);
}

export function wholeNumber(min: number, max: number) {
  const message = `a whole number from ${min} to ${max}`;
  return z.int(message).min(min, message).max(max, message);
}

/** Processes of the whole job, not of each node. */
export const processCount = wholeNumber(1, processCountMax).describe(
  "Processes in the whole job, not on each node. Default: nodeCount.",
);

/** One of the words, in upper or lower case. The pattern has no flag, so that JSON Schema can carry it. */
export function caselessWord(words: readonly string[]) {
  const message = `${words.join(", ")} (in upper or lower case)`;
  const spelling = (word: string): string =>
    word.replace(/[a-z]/gi, (letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`);
  return z.string(message).regex(new RegExp(`^(?:${words.map(spelling).join("|")})$`), message);
}

/** An object with just these properties. */
export function record<Shape extends z.ZodRawShape>(shape: Shape) {
  const names = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? names.join(", ") : `an object with ${names.join(", ")}`,
  });
}

export function list<Item extends z.ZodType>(item: Item) {
  const message = `a list of at most ${listEntriesMax} entries`;
  return z.array(item, message).max(listEntriesMax, message);
}
