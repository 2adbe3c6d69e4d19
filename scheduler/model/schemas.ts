import { z } from "zod";
import { nodeId, poolId, session } from "./ids.ts";
import { PRIORITIES, PYTORCH_BACKENDS } from "./job.ts";
import type { Attempt, JobSpec } from "./job.ts";
import type { NodeFacts } from "./node.ts";
import type { PartReport } from "./command.ts";

/**
 * Schemas of the documents that daemons send each other. A peer's certificate says who it is, not that what it sends
 * is well-formed: it may be of another version.
 */

const GANG_NODES_MAX = 10_000;
const GPUS_MAX = 1_024;
const LIST_ENTRIES_MAX = 10_000;
const TEXT_LENGTH_MAX = 1_048_576;

const text = z.string().max(TEXT_LENGTH_MAX);
const count = z.int().min(0);
const time = z.number().min(0);
const name = z.string().min(1).max(256);

const networkInterface = z.strictObject({
  name,
  address: name,
  cidr: name,
  speedMbps: z.number().nullable(),
  up: z.boolean(),
});

const gpu = z.strictObject({
  uuid: name,
  index: count,
  name: text,
  memoryMiB: z.number().nullable(),
  pciBusId: name,
  healthy: z.boolean(),
  reasons: z.array(text).max(100),
});

const inventory = z.strictObject({
  hostname: name,
  cpus: count,
  memoryMiB: z.number().min(0),
  slots: count,
  gpus: z.array(gpu).max(GPUS_MAX),
  interfaces: z.array(networkInterface).max(LIST_ENTRIES_MAX),
  driver: z.string().nullable(),
});

const nodeFacts = z.strictObject({
  id: name.transform(nodeId),
  address: name,
  network: networkInterface.nullable(),
  pool: name.transform(poolId),
  spot: z.boolean(),
  failureDomain: name.nullable(),
  bootId: name,
  version: name,
  inventory,
});

const pythonScript = z.strictObject({ interpreter: text, path: text, arguments: text });

const toolkit = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("customToolkit"), commandLine: text }),
  z.strictObject({ kind: z.literal("customMpi"), commandLine: text, processCount: count }),
  z.strictObject({ kind: z.literal("horovod"), script: pythonScript, processCount: count }),
  z.strictObject({
    kind: z.literal("pyTorch"),
    script: pythonScript,
    processCount: count,
    backend: z.enum(PYTORCH_BACKENDS),
  }),
]);

const shape = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("wholeNode"), gpusAtLeast: count }),
  z.strictObject({ kind: z.literal("share"), gpus: count, slots: count }),
]);

const namedValue = z.strictObject({ name: text, value: text });

const jobSpec = z.strictObject({
  name,
  workspace: name,
  experiment: name,
  priority: z.enum(PRIORITIES),
  pool: name.transform(poolId),
  nodeCount: z.int().min(1).max(GANG_NODES_MAX),
  shape,
  toolkit,
  environment: z.array(namedValue).max(LIST_ENTRIES_MAX),
  inputDirectories: z.array(z.strictObject({ id: name, path: text })).max(LIST_ENTRIES_MAX),
  outputDirectories: z
    .array(z.strictObject({ id: name, pathPrefix: text, pathSuffix: text }))
    .max(LIST_ENTRIES_MAX),
  stdOutErrPathPrefix: text.nullable(),
  workingDirectory: text.nullable(),
  maxRetries: count,
});

const commandExit = z.strictObject({
  command: name,
  code: z.int(),
  endedBy: z.enum(["itself", "stopped", "deadline", "shim-lost"]),
  reason: text.nullable(),
});
const exits = z.array(commandExit).max(LIST_ENTRIES_MAX);

const partReport = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("prepared") }),
  z.strictObject({ kind: z.literal("refused"), reason: text }),
  z.strictObject({ kind: z.literal("exited"), exits }),
  z.strictObject({ kind: z.literal("stopped"), exits }),
]);

const progress = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("assigned") }),
  z.strictObject({ kind: z.literal("prepared") }),
  z.strictObject({ kind: z.literal("started") }),
  z.strictObject({ kind: z.literal("exited"), exits }),
  z.strictObject({ kind: z.literal("stopped"), exits }),
  z.strictObject({ kind: z.literal("lost"), reason: text }),
]);

const attempt = z.strictObject({
  number: z.int().min(1),
  fence: z.strictObject({ epoch: count, index: z.int().min(1) }),
  placedAt: time,
  parts: z
    .array(
      z.strictObject({
        node: name.transform(nodeId),
        session: count.transform(session),
        address: name,
        hostname: name,
        network: networkInterface.nullable(),
        gpus: z.array(name).max(GPUS_MAX),
        slots: count,
        progress,
      }),
    )
    .min(1)
    .max(GANG_NODES_MAX),
  launch: z.strictObject({ rendezvousPort: z.int().min(1).max(65_535), token: z.string().min(16).max(256) }),
});

/** A document as parsed, or one line that says what does not fit. */
export type Parsed<T> =
  { readonly kind: "value"; readonly value: T } | { readonly kind: "malformed"; readonly reason: string };

function parser<T>(schema: z.ZodType<T>): (json: string) => Parsed<T> {
  return (json) => {
    let document: unknown;
    try {
      document = JSON.parse(json);
    } catch {
      return { kind: "malformed", reason: "not a JSON document" };
    }
    const result = schema.safeParse(document);
    if (result.success) return { kind: "value", value: result.data };
    const issue = result.error.issues[0];
    return {
      kind: "malformed",
      reason: `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "does not fit"}`,
    };
  };
}

export const parseNodeFacts: (json: string) => Parsed<NodeFacts> = parser(nodeFacts);
export const parseJobSpec: (json: string) => Parsed<JobSpec> = parser(jobSpec);
export const parseAttempt: (json: string) => Parsed<Attempt> = parser(attempt);
export const parsePartReport: (json: string) => Parsed<PartReport> = parser(partReport);
