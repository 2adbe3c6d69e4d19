import type { InputDirectory, NamedValue, OutputDirectory, Priority, PyTorchBackend } from "../model/job.ts";
import type { NativeProperties } from "./job-file-schema.ts";
import type { ToolkitProperties } from "./toolkit-schema.ts";

/**
 * A checked job file in the native form with every default filled in, also those of properties that this version can
 * not honour. It is plain JSON, and reading it as a job file gives the same again.
 */
export interface NormalisedJob extends NormalisedToolkits {
  readonly name: string;
  readonly workspace: string;
  readonly experiment: string;
  readonly pool: string;
  readonly schedulingPriority: Priority;
  readonly nodeCount: number;
  readonly wholeNodes: boolean;
  readonly gpusPerNode: number;
  /** Only where the job takes a share of its nodes. */
  readonly slotsPerNode?: number;
  readonly environmentVariables: readonly NamedValue[];
  readonly inputDirectories: readonly InputDirectory[];
  readonly outputDirectories: readonly OutputDirectory[];
  readonly stdOutErrPathPrefix?: string;
  readonly workingDirectory?: string;
  readonly maxRetries: number;
  readonly containerSettings?: NonNullable<NativeProperties["containerSettings"]>;
  readonly mountVolumes?: NonNullable<NativeProperties["mountVolumes"]>;
  readonly secrets?: NonNullable<NativeProperties["secrets"]>;
  readonly jobPreparation?: NonNullable<NativeProperties["jobPreparation"]>;
  readonly constraints?: { readonly maxWallClockTime: string };
}

/** Exactly one of them is there. */
export interface NormalisedToolkits {
  readonly cntkSettings?: NormalisedCntk;
  readonly caffeSettings?: NormalisedCaffe;
  readonly caffe2Settings?: NormalisedScript;
  readonly chainerSettings?: NormalisedScript & ProcessCount;
  readonly pyTorchSettings?: NormalisedScript &
    ProcessCount & { readonly communicationBackend: PyTorchBackend };
  readonly tensorFlowSettings?: NormalisedTensorFlow;
  readonly horovodSettings?: NormalisedScript & ProcessCount;
  readonly customMpiSettings?: { readonly commandLine: string } & ProcessCount;
  readonly customToolkitSettings?: { readonly commandLine: string };
}

export interface NormalisedScript {
  readonly pythonScriptFilePath: string;
  readonly pythonInterpreterPath: string;
  readonly commandLineArgs: string;
}

interface ProcessCount {
  readonly processCount: number;
}

/** The configuration file of the toolkit's own language, or a Python script. */
type ConfigOrScript =
  { readonly configFilePath: string; readonly commandLineArgs: string } | NormalisedScript;

export type NormalisedCaffe = ConfigOrScript & ProcessCount;
export type NormalisedCntk = NormalisedCaffe & { readonly languageType: "BrainScript" | "Python" };

export interface NormalisedTensorFlow {
  readonly pythonScriptFilePath: string;
  readonly pythonInterpreterPath: string;
  readonly masterCommandLineArgs: string;
  readonly workerCommandLineArgs: string;
  readonly parameterServerCommandLineArgs: string;
  readonly workerCount: number;
  readonly parameterServerCount: number;
}

/** A checked block of the file, before its defaults are filled in. */
export type ToolkitBlock<Name extends keyof ToolkitProperties> = NonNullable<ToolkitProperties[Name]>;
