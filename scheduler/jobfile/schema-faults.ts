import type { z } from "zod";
import type { Fault } from "../model/fault.ts";
import { pathText } from "./document-path.ts";
import type { Path } from "./document-path.ts";
import { NATIVE_ONLY_NAMES } from "./job-file-schema.ts";
import { nearestName } from "./nearest-name.ts";

/** The schema's issues as faults: each with what stands in the document at that place. One place, one fault. */
export function faultsOfIssues(issues: readonly z.core.$ZodIssue[], document: unknown): readonly Fault[] {
  const faults = new Map<string, Fault>();
  for (const fault of issues.flatMap((issue) => faultsOf(issue, [], document))) {
    if (!faults.has(fault.path)) faults.set(fault.path, fault);
  }
  return [...faults.values()];
}

/** A value for an error message, cut to a line; nothing of a value that may be a secret. */
function describeFound(value: unknown, path: Path): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (path.some(isSecret) && typeof value !== "object") return "a value (not shown)";
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object") return "an object";
  return typeof value === "number" || typeof value === "boolean" ? String(value) : `a ${typeof value}`;
}

function faultsOf(issue: z.core.$ZodIssue, base: Path, document: unknown): readonly Fault[] {
  const path = [...base, ...issue.path];
  const place = pathText(path);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((name) => unknownProperty(name, path, issue.message));
    case "invalid_union":
      return faultsOfUnion(issue, path, document);
    case "invalid_key":
      return [{ path: place, found: "this name", allowed: issue.issues[0]?.message ?? issue.message }];
    default: {
      const found = describeFound(valueAt(document, path), path);
      return [{ path: place, found, allowed: issue.message }];
    }
  }
}

/** The faults of the one choice whose outer type fits, else that none fits. */
function faultsOfUnion(issue: z.core.$ZodIssueInvalidUnion, path: Path, document: unknown): readonly Fault[] {
  const meant = issue.errors.find((issues) => issues.every((inner) => inner.path.length > 0));
  if (meant !== undefined) return meant.flatMap((inner) => faultsOf(inner, path, document));
  const found = describeFound(valueAt(document, path), path);
  return [{ path: pathText(path), found, allowed: issue.message }];
}

/** @param known the property names of that place, separated by commas: the message of `record` */
function unknownProperty(name: string, path: Path, known: string): Fault {
  const names = known.split(", ");
  const nearest = nearestName(name, names);
  const found = "an unknown property";
  const place = pathText([...path, name]);
  if (NATIVE_ONLY_NAMES.includes(name) && path[0] === "properties") {
    return { path: place, found, allowed: `${name} only in the form without "properties"` };
  }
  if (nearest !== null) return { path: place, found, allowed: `did you mean ${nearest}?` };
  return { path: place, found, allowed: `one of ${known}` };
}

function valueAt(document: unknown, path: Path): unknown {
  let value = document;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<PropertyKey, unknown>>)[key];
  }
  return value;
}

const secretProperties: ReadonlySet<PropertyKey> = new Set(["secrets", "accountKey", "password"]);
const isSecret = (key: PropertyKey): boolean => secretProperties.has(key);

const shownLengthMax = 60;

function quoted(value: string): string {
  const cut = value.length > shownLengthMax ? `${value.slice(0, shownLengthMax)}...` : value;
  return JSON.stringify(cut);
}
