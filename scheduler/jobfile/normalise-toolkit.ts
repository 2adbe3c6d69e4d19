import { PYTORCH_BACKENDS } from "../model/job.ts";
import type { PyTorchBackend } from "../model/job.ts";
import type {
  NormalisedCaffe,
  NormalisedScript,
  NormalisedTensorFlow,
  NormalisedToolkits,
  ToolkitBlock,
} from "./normalised-job.ts";
import type { ToolkitProperties } from "./toolkit-schema.ts";

/**
 * The default interpreter. Batch AI's was `python`, which its Ubuntu 16.04 image had; today's distributions install
 * only `python3`.
 */
const defaultInterpreter = "python3";

/** The job's toolkit block with its defaults: process counts are those of the whole job, by default one a node. */
export function normaliseToolkit(file: ToolkitProperties, nodeCount: number): NormalisedToolkits {
  if (file.cntkSettings !== undefined) return { cntkSettings: cntk(file.cntkSettings, nodeCount) };
  if (file.caffeSettings !== undefined)
    return { caffeSettings: configOrScript(file.caffeSettings, nodeCount) };
  if (file.caffe2Settings !== undefined) return { caffe2Settings: script(file.caffe2Settings) };
  if (file.chainerSettings !== undefined)
    return { chainerSettings: processes(file.chainerSettings, nodeCount) };
  if (file.horovodSettings !== undefined)
    return { horovodSettings: processes(file.horovodSettings, nodeCount) };
  if (file.tensorFlowSettings !== undefined) {
    return { tensorFlowSettings: tensorFlow(file.tensorFlowSettings, nodeCount) };
  }
  if (file.pyTorchSettings !== undefined) {
    const communicationBackend = backendOf(file.pyTorchSettings.communicationBackend);
    return { pyTorchSettings: { ...processes(file.pyTorchSettings, nodeCount), communicationBackend } };
  }
  if (file.customMpiSettings !== undefined) {
    const { commandLine, processCount } = file.customMpiSettings;
    return { customMpiSettings: { commandLine, processCount: processCount ?? nodeCount } };
  }
  if (file.customToolkitSettings !== undefined) {
    return { customToolkitSettings: { commandLine: file.customToolkitSettings.commandLine } };
  }
  throw new Error("A checked job file has one toolkit block");
}

interface ScriptBlock {
  readonly pythonScriptFilePath: string;
  readonly pythonInterpreterPath?: string | undefined;
  readonly commandLineArgs?: string | undefined;
}

function script(block: ScriptBlock): NormalisedScript {
  return {
    pythonScriptFilePath: block.pythonScriptFilePath,
    pythonInterpreterPath: block.pythonInterpreterPath ?? defaultInterpreter,
    commandLineArgs: block.commandLineArgs ?? "",
  };
}

function processes(
  block: ScriptBlock & { readonly processCount?: number | undefined },
  nodeCount: number,
): NormalisedScript & { readonly processCount: number } {
  return { ...script(block), processCount: block.processCount ?? nodeCount };
}

function configOrScript(block: ToolkitBlock<"caffeSettings">, nodeCount: number): NormalisedCaffe {
  const { configFilePath, pythonScriptFilePath } = block;
  if (pythonScriptFilePath !== undefined) return processes({ ...block, pythonScriptFilePath }, nodeCount);
  if (configFilePath === undefined) throw new Error("A checked block has a config file or a script");
  const processCount = block.processCount ?? nodeCount;
  return { configFilePath, commandLineArgs: block.commandLineArgs ?? "", processCount };
}

/** Recipes leave the language out: it is what the given file is written in. */
function cntk(
  block: ToolkitBlock<"cntkSettings">,
  nodeCount: number,
): NonNullable<NormalisedToolkits["cntkSettings"]> {
  const languageType = block.configFilePath === undefined ? "Python" : "BrainScript";
  return { languageType, ...configOrScript(block, nodeCount) };
}

/** The counts of servers and workers by which Batch AI fills them in: one server when the job is distributed. */
function tensorFlow(block: ToolkitBlock<"tensorFlowSettings">, nodeCount: number): NormalisedTensorFlow {
  const workerCount = block.workerCount ?? nodeCount;
  const distributed = nodeCount > 1 || workerCount > 1;
  return {
    pythonScriptFilePath: block.pythonScriptFilePath,
    pythonInterpreterPath: block.pythonInterpreterPath ?? defaultInterpreter,
    masterCommandLineArgs: block.masterCommandLineArgs ?? "",
    workerCommandLineArgs: block.workerCommandLineArgs ?? "",
    parameterServerCommandLineArgs: block.parameterServerCommandLineArgs ?? "",
    workerCount,
    parameterServerCount: block.parameterServerCount ?? (distributed ? 1 : 0),
  };
}

function backendOf(found: string | undefined): PyTorchBackend {
  return PYTORCH_BACKENDS.find((backend) => backend === found?.toLowerCase()) ?? "gloo";
}
