import type { Argument } from "./datadriven.ts";

/**
 * What etcd-io/raft's harness answers with a text in the output. All other faults of a script fail the file there, as
 * they do here.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** Turns a fault of `read` into a text in the output. */
export function refusing<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw new Refusal(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** All values under a key, in their order: a key may be repeated. */
export function valuesOf(args: readonly Argument[], key: string): readonly string[] {
  return args.filter((arg) => arg.key === key).flatMap(({ values }) => values);
}

/** The value under a key of which the last one counts. */
export function lastValue(args: readonly Argument[], key: string): string | undefined {
  return valuesOf(args, key).at(-1);
}

/** The value under a key that must be there, once. */
export function soleValue(args: readonly Argument[], key: string): string {
  const [value, ...rest] = args.find((arg) => arg.key === key)?.values ?? [];
  if (value === undefined || rest.length > 0) throw new Error(`${key}= must have one value`);
  return value;
}

/** The words without `=` as node numbers. */
export function nodeIds(args: readonly Argument[]): readonly number[] {
  return args.filter(({ values }) => values.length === 0).map(({ key }) => parseUnsigned(key));
}

/** The word at a position. */
export function word(args: readonly Argument[], position: number): string {
  const arg = args[position];
  if (arg === undefined) throw new Error(`argument ${position + 1} is missing`);
  return arg.key;
}

/** A number of at least 0; its faults are worded as Go's are, which scripts may print. */
export function parseUnsigned(text: string): number {
  const parsing = `strconv.ParseUint: parsing ${JSON.stringify(text)}`;
  if (!/^\d+$/.test(text)) throw new Error(`${parsing}: invalid syntax`);
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`${parsing}: value out of range`);
  return value;
}

/** What Go takes for a boolean; its fault is worded as Go's is. */
export function parseFlag(text: string): boolean {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  throw new Error(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}
