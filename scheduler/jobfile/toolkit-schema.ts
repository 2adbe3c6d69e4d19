import { z } from "zod";
import { PYTORCH_BACKENDS } from "../model/job.ts";
import {
  anyPath,
  caselessWord,
  filledText,
  processCount,
  record,
  text,
  wholeNumber,
} from "./schema-parts.ts";
import { nodeCountMax, processCountMax } from "./limits.ts";

/** Batch AI's nine toolkit blocks (API 2018-05-01); a job has exactly one of them. */

const scriptPath = anyPath("path of the Python script");
const interpreterPath = anyPath("path of the Python interpreter").describe("Default: python3.");
const commandLineArgs = text("arguments in shell words").describe(
  "Shell words, expanded on the node: $AZ_BATCHAI_OUTPUT_MODEL and the like may stand in them.",
);

const script = {
  pythonScriptFilePath: scriptPath,
  pythonInterpreterPath: interpreterPath.optional(),
  commandLineArgs: commandLineArgs.optional(),
};

export const LANGUAGE_TYPES = ["BrainScript", "Python"] as const;

const cntkSettings = record({
  languageType: caselessWord(LANGUAGE_TYPES).optional(),
  configFilePath: anyPath("path of the BrainScript config file").optional(),
  pythonScriptFilePath: scriptPath.optional(),
  pythonInterpreterPath: interpreterPath.optional(),
  commandLineArgs: commandLineArgs.optional(),
  processCount: processCount.optional(),
}).describe("CNTK (Microsoft Cognitive Toolkit) job.");

const caffeSettings = record({
  configFilePath: anyPath("path of the Caffe config file").optional(),
  pythonScriptFilePath: scriptPath.optional(),
  pythonInterpreterPath: interpreterPath.optional(),
  commandLineArgs: commandLineArgs.optional(),
  processCount: processCount.optional(),
}).describe("Caffe job.");

const caffe2Settings = record(script).describe("Caffe2 job: one process on each node.");

const chainerSettings = record({ ...script, processCount: processCount.optional() }).describe("Chainer job.");

const pyTorchSettings = record({
  ...script,
  processCount: processCount.optional(),
  communicationBackend: caselessWord(PYTORCH_BACKENDS)
    .describe("How the ranks talk to each other: gloo (default), nccl, tcp or mpi.")
    .optional(),
}).describe("PyTorch job: every rank is started with its place in the group in its environment.");

const tensorFlowSettings = record({
  pythonScriptFilePath: scriptPath,
  pythonInterpreterPath: interpreterPath.optional(),
  masterCommandLineArgs: commandLineArgs.optional(),
  workerCommandLineArgs: commandLineArgs.optional(),
  parameterServerCommandLineArgs: commandLineArgs.optional(),
  workerCount: wholeNumber(1, processCountMax).describe("Default: nodeCount.").optional(),
  parameterServerCount: wholeNumber(0, nodeCountMax)
    .describe("At most nodeCount. Default: 1 on several nodes, 0 on one.")
    .optional(),
}).describe("TensorFlow job: parameter servers and workers; worker 0 is the master.");

const horovodSettings = record({ ...script, processCount: processCount.optional() }).describe(
  "Horovod job: mpirun over the script.",
);

const customMpiSettings = record({
  commandLine: filledText("the command line of each rank, without mpirun"),
  processCount: processCount.optional(),
}).describe("MPI job: mpirun starts the command line as every rank.");

const customToolkitSettings = record({
  commandLine: filledText("the command line to run on the first node"),
}).describe("A command line that runs once, on the first node.");

export const toolkitShape = {
  cntkSettings: cntkSettings.optional(),
  caffeSettings: caffeSettings.optional(),
  caffe2Settings: caffe2Settings.optional(),
  chainerSettings: chainerSettings.optional(),
  pyTorchSettings: pyTorchSettings.optional(),
  tensorFlowSettings: tensorFlowSettings.optional(),
  horovodSettings: horovodSettings.optional(),
  customMpiSettings: customMpiSettings.optional(),
  customToolkitSettings: customToolkitSettings.optional(),
};

export type ToolkitName = keyof typeof toolkitShape;
export const TOOLKIT_NAMES = Object.keys(toolkitShape) as readonly ToolkitName[];

const toolkits = z.object(toolkitShape);
export type ToolkitProperties = z.infer<typeof toolkits>;
