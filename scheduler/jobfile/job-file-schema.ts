import { z } from "zod";
import { PRIORITIES } from "../model/job.ts";
import { gpusPerNodeMax, nodeCountMax, retriesMax, slotsPerNodeMax } from "./limits.ts";
import {
  cluster,
  containerSettings,
  environmentList,
  environmentMap,
  inputDirectories,
  mountVolumes,
  outputDirectories,
  secrets,
} from "./resource-schema.ts";
import { absolutePath, filledText, record, resourceName, text, wholeNumber } from "./schema-parts.ts";
import { toolkitShape } from "./toolkit-schema.ts";
import { wallClockPattern } from "./wall-clock.ts";

/**
 * The one source of what a job file may say: checks, types, faults and the JSON Schema for editors come from here.
 * Rules that join several properties stand in `job-rules.ts`.
 */

const nodeCount = wholeNumber(1, nodeCountMax).describe("Nodes that the job runs on, all at once.");
const stdOutErrPathPrefix = absolutePath("where the folder of the job's output texts is made");
const duration = "a duration such as P1D, PT12H or 1.00:00:00, at most 7 days";

/** Batch AI's job properties that both forms know. */
const commonShape = {
  schedulingPriority: z
    .enum(PRIORITIES, PRIORITIES.join(", "))
    .describe("Who goes first in the queue. Default: normal.")
    .optional(),
  cluster: cluster.describe("The pool; Batch AI's name for it. The last part of the id counts.").optional(),
  mountVolumes: mountVolumes.optional(),
  containerSettings: containerSettings.optional(),
  ...toolkitShape,
  jobPreparation: record({ commandLine: filledText("a command line to run on each node first") }).optional(),
  inputDirectories: inputDirectories.optional(),
  outputDirectories: outputDirectories.optional(),
  secrets: secrets.optional(),
  constraints: record({
    maxWallClockTime: z.string(duration).regex(wallClockPattern, duration).optional(),
  }).optional(),
};

/** Only in the native form; gpumesh's own. */
const nativeOnlyShape = {
  name: resourceName("the job's name").describe("Default: job.").optional(),
  workspace: resourceName("a workspace").describe("Default: default.").optional(),
  experiment: resourceName("an experiment").describe("Default: default.").optional(),
  pool: resourceName("a pool").describe("Where the job runs. Default: default.").optional(),
  wholeNodes: z
    .boolean("true or false")
    .describe("Take whole nodes. Default: true unless gpusPerNode or slotsPerNode is given.")
    .optional(),
  gpusPerNode: wholeNumber(0, gpusPerNodeMax)
    .describe("GPUs of each node; with wholeNodes, the least that a node must have.")
    .optional(),
  slotsPerNode: wholeNumber(0, slotsPerNodeMax).describe("CPU slots of each node.").optional(),
  workingDirectory: absolutePath("the folder in which commands start").optional(),
  maxRetries: wholeNumber(0, retriesMax)
    .describe("How often a failed attempt is tried again; one lost with its node always is. Default: 0.")
    .optional(),
};

const schemaReference = { $schema: text("a URL").optional() };

/** Batch AI's `properties`, API 2018-05-01. `cluster` may be missing: its command line gave it. */
export const batchAiProperties = record({
  ...commonShape,
  nodeCount,
  stdOutErrPathPrefix,
  environmentVariables: environmentList.optional(),
});

/** A whole Batch AI document; what stands around `properties` in a request or a template is let through. */
export const batchAiJobFile = record({
  ...schemaReference,
  name: resourceName("the job's name").optional(),
  type: text().optional(),
  apiVersion: text().optional(),
  location: text().optional(),
  tags: z.record(z.string(), text(), "a map of tags").optional(),
  properties: batchAiProperties,
});

/** gpumesh's own form: the same properties at top level, and more. */
export const nativeJobFile = record({
  ...schemaReference,
  ...nativeOnlyShape,
  ...commonShape,
  nodeCount: nodeCount.describe("Nodes that the job runs on, all at once. Default: 1.").optional(),
  stdOutErrPathPrefix: stdOutErrPathPrefix.optional(),
  environmentVariables: z
    .union([environmentList, environmentMap], "a list of {name, value} or a map of names to values")
    .optional(),
});

export type NativeProperties = z.infer<typeof nativeJobFile>;
export type BatchAiJobFile = z.infer<typeof batchAiJobFile>;

export const NATIVE_ONLY_NAMES: readonly string[] = Object.keys(nativeOnlyShape);

/** JSON Schema (draft 2020-12) of both forms, for editors and other tools. */
export function jobFileJsonSchema(): Readonly<Record<string, unknown>> {
  const forms = [nativeJobFile, batchAiJobFile].map((form) => {
    const { $schema: _, ...schema } = z.toJSONSchema(form, { io: "input" });
    return schema;
  });
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "gpumesh job file",
    anyOf: forms,
  };
}
