import type { z } from "zod";
import type { Fault } from "../model/fault.ts";
import { batchAiJobFile, nativeJobFile } from "./job-file-schema.ts";
import { faultsOfRules } from "./job-rules.ts";
import { faultsMax } from "./limits.ts";
import { nativeFormOf, normalise } from "./normalise.ts";
import type { NormalisedJob } from "./normalised-job.ts";
import { notSupportedYet } from "./not-supported.ts";
import type { NotSupported } from "./not-supported.ts";
import { readDocument } from "./read-document.ts";
import { faultsOfIssues } from "./schema-faults.ts";

export type ParsedJob =
  | {
      readonly kind: "job";
      readonly job: NormalisedJob;
      /** Known properties that this version can not honour: the file is right, but may not be submitted. */
      readonly notSupportedYet: readonly NotSupported[];
    }
  | { readonly kind: "faults"; readonly faults: readonly Fault[] };

/**
 * Reads a job file: YAML or JSON, in the native form or as Batch AI's `job.json` (the one with `properties`).
 * Text of any kind gives a job or all its faults at once; it never throws.
 */
export function parseJobFile(text: string): ParsedJob {
  const read = readDocument(text);
  return read.kind === "faults" ? refused(read.faults) : parseJobDocument(read.value);
}

/** As `parseJobFile`, for a document that has been read already, e.g. the body of a request. */
export function parseJobDocument(document: unknown): ParsedJob {
  if (typeof document === "object" && document !== null && Object.hasOwn(document, "properties")) {
    const { properties } = document as { readonly properties?: unknown };
    const faults = faultsOfRules(properties, "properties");
    return check(batchAiJobFile, document, faults, "properties.", (file) => normalise(nativeFormOf(file)));
  }
  return check(nativeJobFile, document, faultsOfRules(document, ""), "", normalise);
}

function check<Schema extends z.ZodType>(
  schema: Schema,
  document: unknown,
  ruleFaults: readonly Fault[],
  prefix: string,
  toJob: (file: z.infer<Schema>) => NormalisedJob,
): ParsedJob {
  const checked = schema.safeParse(document);
  const schemaFaults = checked.success ? [] : faultsOfIssues(checked.error.issues, document);
  if (!checked.success || ruleFaults.length > 0) return refused([...schemaFaults, ...ruleFaults]);
  const job = toJob(checked.data);
  return { kind: "job", job, notSupportedYet: notSupportedYet(job, prefix) };
}

function refused(faults: readonly Fault[]): ParsedJob {
  if (faults.length <= faultsMax) return { kind: "faults", faults };
  const rest = { path: "", found: `${faults.length - faultsMax} more faults`, allowed: "none" };
  return { kind: "faults", faults: [...faults.slice(0, faultsMax), rest] };
}
