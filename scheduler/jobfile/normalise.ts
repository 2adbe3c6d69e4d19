import type { NamedValue } from "../model/job.ts";
import type { BatchAiJobFile, NativeProperties } from "./job-file-schema.ts";
import { normaliseToolkit } from "./normalise-toolkit.ts";
import type { NormalisedJob } from "./normalised-job.ts";
import { isoDuration, wallClockSeconds } from "./wall-clock.ts";
import { wallClockSecondsMax } from "./limits.ts";

/** A Batch AI document in the native form. The job's name is the one beside `properties`. */
export function nativeFormOf(file: BatchAiJobFile): NativeProperties {
  return { ...file.properties, ...(file.name === undefined ? {} : { name: file.name }) };
}

/** Fills in every default. The properties are checked: by the schema and by the rules of `job-rules.ts`. */
export function normalise(file: NativeProperties): NormalisedJob {
  const nodeCount = file.nodeCount ?? 1;
  return {
    name: file.name ?? "job",
    workspace: file.workspace ?? "default",
    experiment: file.experiment ?? "default",
    pool: file.pool ?? (file.cluster === undefined ? "default" : poolOfCluster(file.cluster.id)),
    schedulingPriority: file.schedulingPriority ?? "normal",
    nodeCount,
    ...shapeOf(file),
    ...normaliseToolkit(file, nodeCount),
    environmentVariables: environmentOf(file.environmentVariables),
    inputDirectories: (file.inputDirectories ?? []).map(({ id, path }) => ({ id, path })),
    outputDirectories: (file.outputDirectories ?? []).map((directory) => ({
      id: directory.id,
      pathPrefix: directory.pathPrefix,
      pathSuffix: directory.pathSuffix ?? "",
    })),
    ...(file.stdOutErrPathPrefix === undefined ? {} : { stdOutErrPathPrefix: file.stdOutErrPathPrefix }),
    ...(file.workingDirectory === undefined ? {} : { workingDirectory: file.workingDirectory }),
    maxRetries: file.maxRetries ?? 0,
    ...(file.containerSettings === undefined ? {} : { containerSettings: file.containerSettings }),
    ...(file.mountVolumes === undefined ? {} : { mountVolumes: mountsOf(file.mountVolumes) }),
    ...(file.secrets === undefined ? {} : { secrets: file.secrets }),
    ...(file.jobPreparation === undefined ? {} : { jobPreparation: file.jobPreparation }),
    ...(file.constraints === undefined
      ? {}
      : { constraints: { maxWallClockTime: wallClockOf(file.constraints.maxWallClockTime) } }),
  };
}

/** The last segment of an Azure resource id, or the plain name. */
export function poolOfCluster(id: string): string {
  return id.replace(/\/+$/, "").split("/").at(-1) ?? "";
}

/** Batch AI's way is whole nodes; a number of GPUs or slots asks for a share of each instead. */
function shapeOf(
  file: NativeProperties,
): Pick<NormalisedJob, "wholeNodes" | "gpusPerNode"> & { readonly slotsPerNode?: number } {
  const share = file.gpusPerNode !== undefined || file.slotsPerNode !== undefined;
  const gpusPerNode = file.gpusPerNode ?? 0;
  if (file.wholeNodes ?? !share) return { wholeNodes: true, gpusPerNode };
  return { wholeNodes: false, gpusPerNode, slotsPerNode: file.slotsPerNode ?? 0 };
}

function environmentOf(given: NativeProperties["environmentVariables"]): readonly NamedValue[] {
  if (given === undefined) return [];
  if (Array.isArray(given)) return given.map(({ name, value }) => ({ name, value }));
  return Object.entries(given).map(([name, value]) => ({ name, value }));
}

/** Azure file shares are mounted open to all unless the file says otherwise, as Batch AI does. */
function mountsOf(volumes: NonNullable<NativeProperties["mountVolumes"]>): typeof volumes {
  if (volumes.azureFileShares === undefined) return volumes;
  const azureFileShares = volumes.azureFileShares.map((share) => ({
    ...share,
    fileMode: share.fileMode ?? "0777",
    directoryMode: share.directoryMode ?? "0777",
  }));
  return { ...volumes, azureFileShares };
}

function wallClockOf(duration: string | undefined): string {
  const seconds = duration === undefined ? null : wallClockSeconds(duration);
  return isoDuration(seconds ?? wallClockSecondsMax);
}
