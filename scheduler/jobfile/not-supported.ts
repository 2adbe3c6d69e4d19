import type { NormalisedJob } from "./normalised-job.ts";
import { TOOLKIT_NAMES } from "./toolkit-schema.ts";
import type { ToolkitName } from "./toolkit-schema.ts";

/** A known property that this version can not honour. */
export interface NotSupported {
  readonly path: string;
  readonly reason: string;
}

const supportedToolkits = [
  "customToolkitSettings",
  "customMpiSettings",
  "horovodSettings",
  "pyTorchSettings",
] as const satisfies readonly ToolkitName[];

const unsupportedProperties = [
  "containerSettings",
  "mountVolumes",
  "secrets",
  "jobPreparation",
  "constraints",
] as const satisfies readonly (keyof NormalisedJob)[];

/**
 * What this job asks for that this version can not do; empty when it can run.
 *
 * @param prefix what stands before each path in the document: `properties.` in Batch AI's form
 */
export function notSupportedYet(job: NormalisedJob, prefix = ""): readonly NotSupported[] {
  const supported: ReadonlySet<string> = new Set(supportedToolkits);
  const toolkits = TOOLKIT_NAMES.filter((name) => !supported.has(name));
  return [...unsupportedProperties, ...toolkits]
    .filter((name) => job[name] !== undefined)
    .map((name) => ({ path: `${prefix}${name}`, reason: "not supported yet" }));
}
