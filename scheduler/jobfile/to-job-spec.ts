import { poolId } from "../model/ids.ts";
import type { JobSpec, NodeShape, PythonScript, Toolkit } from "../model/job.ts";
import { notSupportedYet } from "./not-supported.ts";
import type { NormalisedJob, NormalisedScript } from "./normalised-job.ts";

/** The job as the scheduler knows it. Only for a job of which `notSupportedYet` is empty; throws on another. */
export function toJobSpec(job: NormalisedJob): JobSpec {
  const missing = notSupportedYet(job);
  if (missing.length > 0) {
    throw new Error(
      `No job spec for what is not supported yet: ${missing.map(({ path }) => path).join(", ")}`,
    );
  }
  return {
    name: job.name,
    workspace: job.workspace,
    experiment: job.experiment,
    priority: job.schedulingPriority,
    pool: poolId(job.pool),
    nodeCount: job.nodeCount,
    shape: shapeOf(job),
    toolkit: toolkitOf(job),
    environment: job.environmentVariables,
    inputDirectories: job.inputDirectories,
    outputDirectories: job.outputDirectories,
    stdOutErrPathPrefix: job.stdOutErrPathPrefix ?? null,
    workingDirectory: job.workingDirectory ?? null,
    maxRetries: job.maxRetries,
  };
}

function shapeOf(job: NormalisedJob): NodeShape {
  return job.wholeNodes
    ? { kind: "wholeNode", gpusAtLeast: job.gpusPerNode }
    : { kind: "share", gpus: job.gpusPerNode, slots: job.slotsPerNode ?? 0 };
}

function toolkitOf(job: NormalisedJob): Toolkit {
  if (job.customToolkitSettings !== undefined) {
    return { kind: "customToolkit", commandLine: job.customToolkitSettings.commandLine };
  }
  if (job.customMpiSettings !== undefined) {
    const { commandLine, processCount } = job.customMpiSettings;
    return { kind: "customMpi", commandLine, processCount };
  }
  if (job.horovodSettings !== undefined) {
    const { processCount } = job.horovodSettings;
    return { kind: "horovod", script: scriptOf(job.horovodSettings), processCount };
  }
  if (job.pyTorchSettings !== undefined) {
    const { processCount, communicationBackend } = job.pyTorchSettings;
    const script = scriptOf(job.pyTorchSettings);
    return { kind: "pyTorch", script, processCount, backend: communicationBackend };
  }
  throw new Error("A normalised job has one toolkit block");
}

function scriptOf(block: NormalisedScript): PythonScript {
  return {
    interpreter: block.pythonInterpreterPath,
    path: block.pythonScriptFilePath,
    arguments: block.commandLineArgs,
  };
}
