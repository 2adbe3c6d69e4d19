import type { JobSpec } from "../model/job.ts";
import { rankCount } from "../model/ranks.ts";
import { expander } from "./expand.ts";
import type { Definition, Expanded, Expander } from "./expand.ts";
import { hostAndPort, hostOf, partAt } from "./gang.ts";
import { gpuEnvironment } from "./gpu.ts";
import type { LaunchInput, LaunchRefused } from "./launch-input.ts";
import { layoutOf } from "./layout.ts";
import type { Layout } from "./layout.ts";
import { mpiEnvironment } from "./mpi.ts";
import { ncclEnvironment } from "./nccl.ts";
import { batchAiTorchEnvironment, rendezvousEnvironment } from "./torch.ts";

/** Every process of the attempt carries the attempt's token in this variable. */
const ATTEMPT_TOKEN_VARIABLE = "GPUMESH_ATTEMPT_TOKEN";

export interface NodeEnvironment {
  readonly kind: "environment";
  readonly environment: Readonly<Record<string, string>>;
  readonly outputs: readonly string[];
  readonly logDirectory: string;
  readonly workingDirectory: string;
  readonly expander: Expander;
}

/**
 * The environment of every process of the job on this node, and the folders that it names. Three layers: settings
 * that the user's own variables override, the user's variables, and what gpumesh alone says (`GPUMESH_*`, the same
 * facts under Batch AI's names, the GPUs).
 */
export function nodeEnvironment(input: LaunchInput): NodeEnvironment | LaunchRefused {
  const layout = layoutOf(input);
  const settings: Record<string, string> = {
    HOME: input.paths.home,
    PATH: input.paths.path,
    TMPDIR: layout.tmp,
    ...ncclEnvironment(partAt(input.attempt, input.partIndex)),
    ...mpiEnvironment(input),
    ...rendezvousEnvironment(input),
  };
  const facts: Record<string, string> = {
    ...gangFacts(input, layout),
    ...batchAiTorchEnvironment(input),
    ...gpuEnvironment(partAt(input.attempt, input.partIndex)),
  };
  const expand = expander({ ...settings, ...facts }, definitionsOf(input.spec, layout));
  return assemble(input, settings, facts, expand);
}

function assemble(
  { spec, paths }: LaunchInput,
  settings: Readonly<Record<string, string>>,
  facts: Readonly<Record<string, string>>,
  expand: Expander,
): NodeEnvironment | LaunchRefused {
  const user: Record<string, string> = {};
  for (const { name } of spec.environment) {
    const found = expand.value(name);
    if (found === null) throw new Error(`The variable ${name} was defined`);
    if (found.kind === "refused") return found;
    user[name] = found.text;
  }
  const directories: Record<string, string> = {};
  for (const name of directoryVariables(spec)) {
    const found = absolute(expand.value(name), name);
    if (found.kind === "refused") return found;
    directories[name] = found.text;
  }
  const logs = directories[logVariable];
  if (logs === undefined) throw new Error("Every job has a folder for its output texts");
  const workingDirectory = absolute(
    expand.path(spec.workingDirectory ?? paths.attemptDir, "workingDirectory"),
    "workingDirectory",
  );
  if (workingDirectory.kind === "refused") return workingDirectory;

  const length = Object.values({ ...user, ...directories }).reduce((sum, text) => sum + text.length, 0);
  if (length > variablesLengthMax) {
    const reason = `environmentVariables and directories together become ${length} characters long`;
    return { kind: "refused", reason: `${reason}: at most ${variablesLengthMax}` };
  }
  const both = Object.entries(directories).flatMap(([name, path]) => [
    [name, path],
    [name.replace("AZ_BATCHAI_", "GPUMESH_"), path],
  ]);
  return {
    kind: "environment",
    environment: {
      ...settings,
      ...user,
      ...facts,
      ...(Object.fromEntries(both) as Record<string, string>),
      GPUMESH_WORKING_DIRECTORY: workingDirectory.text,
    },
    outputs: spec.outputDirectories.map(({ id }) => directories[outputVariable(id)] ?? ""),
    logDirectory: logs,
    workingDirectory: workingDirectory.text,
    expander: expand,
  };
}

/** In UTF-16 units: with three bytes each, and the folders' second names, below Linux's usual 2 MiB for all. */
const variablesLengthMax = 300_000;

/** What the mesh knows of the gang and of this node, under gpumesh's and Batch AI's names. */
function gangFacts(input: LaunchInput, layout: Layout): Readonly<Record<string, string>> {
  const { spec, attempt, partIndex } = input;
  const part = partAt(attempt, partIndex);
  const head = hostOf(partAt(attempt, 0));
  const hosts = attempt.parts.map(hostOf).join(",");
  const gpus = String(part.gpus.length);
  const master = hostAndPort(head, attempt.launch.rendezvousPort);
  return {
    [ATTEMPT_TOKEN_VARIABLE]: attempt.launch.token,
    GPUMESH_JOB_ID: String(input.job),
    GPUMESH_JOB_NAME: spec.name,
    GPUMESH_WORKSPACE: spec.workspace,
    GPUMESH_EXPERIMENT: spec.experiment,
    GPUMESH_POOL: spec.pool,
    GPUMESH_ATTEMPT: String(attempt.number),
    GPUMESH_ATTEMPT_DIR: input.paths.attemptDir,
    GPUMESH_NODE: part.node,
    GPUMESH_NODE_INDEX: String(partIndex),
    GPUMESH_NODE_COUNT: String(attempt.parts.length),
    GPUMESH_NODES: attempt.parts.map(({ node }) => node).join(","),
    GPUMESH_HOST_LIST: hosts,
    GPUMESH_MASTER_NODE: master,
    GPUMESH_PROCESS_COUNT: String(rankCount(spec)),
    GPUMESH_NUM_GPUS: gpus,
    GPUMESH_NUM_SLOTS: String(part.slots),
    GPUMESH_JOB_TEMP: layout.jobTemp,
    GPUMESH_HOSTFILE: layout.hostFile,
    AZ_BATCH_NODE_ID: part.node,
    AZ_BATCH_HOST_LIST: hosts,
    AZ_BATCH_MASTER_NODE: master,
    AZ_BATCHAI_CLUSTER_NAME: spec.pool,
    AZ_BATCHAI_MPI_MASTER_NODE: head,
    AZ_BATCHAI_JOB_MASTER_NODE_IP: head,
    AZ_BATCHAI_NUM_GPUS: gpus,
    AZ_BATCHAI_NUM_GPUS_PER_NODE: gpus,
    AZ_BATCHAI_JOB_TEMP: layout.jobTemp,
    AZ_BATCHAI_JOB_TEMP_DIR: layout.jobTemp,
    AZ_BATCHAI_MOUNT_ROOT: layout.mounts,
    AZ_BATCHAI_JOB_MOUNT_ROOT: layout.mounts,
    AZ_BATCHAI_MPI_HOST_FILE: layout.hostFile,
    ...(layout.shared === null
      ? {}
      : { GPUMESH_SHARED_JOB_TEMP: layout.shared, AZ_BATCHAI_SHARED_JOB_TEMP: layout.shared }),
  };
}

const logVariable = "AZ_BATCHAI_STDOUTERR_DIR";
const inputVariable = (id: string): string => `AZ_BATCHAI_INPUT_${id}`;
const outputVariable = (id: string): string => `AZ_BATCHAI_OUTPUT_${id}`;

function directoryVariables(spec: JobSpec): readonly string[] {
  return [
    logVariable,
    ...spec.inputDirectories.map(({ id }) => inputVariable(id)),
    ...spec.outputDirectories.map(({ id }) => outputVariable(id)),
  ];
}

/** The user's variables and the job's folders, which may name each other. */
function definitionsOf(spec: JobSpec, layout: Layout): ReadonlyMap<string, Definition> {
  const definitions = new Map<string, Definition>();
  for (const { name, value } of spec.environment) definitions.set(name, { template: value, as: "value" });
  const folder = (name: string, template: string): void => {
    definitions.set(name, { template, as: "path" });
    definitions.set(name.replace("AZ_BATCHAI_", "GPUMESH_"), { template, as: "path" });
  };
  const prefix = spec.stdOutErrPathPrefix;
  folder(logVariable, prefix === null ? layout.logs : `${prefix}/${layout.segment}/stdouterr`);
  for (const { id, path } of spec.inputDirectories) folder(inputVariable(id), path);
  for (const { id, pathPrefix, pathSuffix } of spec.outputDirectories) {
    folder(outputVariable(id), `${pathPrefix}/${layout.segment}/${pathSuffix}`);
  }
  return definitions;
}

/** An absolute path without empty and `.` segments. */
function absolute(found: Expanded | null, what: string): Expanded {
  if (found === null) throw new Error(`The folder ${what} was defined`);
  if (found.kind === "refused") return found;
  if (!found.text.startsWith("/")) {
    const reason = `${what} becomes ${JSON.stringify(found.text)}, which is no absolute path: start it with "/"`;
    return { kind: "refused", reason };
  }
  const segments = found.text.split("/").filter((segment) => segment !== "" && segment !== ".");
  return { kind: "text", text: `/${segments.join("/")}` };
}
