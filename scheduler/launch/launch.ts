import type { PythonScript } from "../model/job.ts";
import { partHasTasks, rankCount, ranksOfPart } from "../model/ranks.ts";
import { nodeEnvironment } from "./environment.ts";
import type { NodeEnvironment } from "./environment.ts";
import type { Expanded } from "./expand.ts";
import type { LaunchInput, LaunchRefused, PartLaunch, TaskLaunch } from "./launch-input.ts";
import { layoutOf } from "./layout.ts";
import { hostFiles, mpirunCommand } from "./mpi.ts";
import { quoteWord } from "./shell.ts";
import { rankEnvironment } from "./torch.ts";

export type { LaunchInput, LaunchRefused, NodePaths, PartLaunch, TaskLaunch } from "./launch-input.ts";

export type LaunchResult = PartLaunch | LaunchRefused;

/**
 * What one node of a placed gang starts with, as data: folders, files, environment and commands. The same input gives
 * the same on every node and at every call. What a user can get wrong (a path that names an unknown variable) is a
 * refusal with its reason.
 */
export function launchPart(input: LaunchInput): LaunchResult {
  const node = nodeEnvironment(input);
  if (node.kind === "refused") return node;
  const line = commandLineOf(input, node);
  if (line.kind === "refused") return line;

  const layout = layoutOf(input);
  const shared = layout.shared === null ? [] : [layout.shared];
  return {
    kind: "launch",
    tasks: partHasTasks(input.spec, input.partIndex) ? tasksOf(input, node, line.text) : [],
    environment: node.environment,
    directories: [layout.jobTemp, layout.tmp, layout.mounts, ...shared, node.logDirectory, ...node.outputs],
    files: hostFiles(input),
    logDirectory: node.logDirectory,
    workingDirectory: node.workingDirectory,
  };
}

/** The shell line that is the job's program. */
function commandLineOf({ spec }: LaunchInput, node: NodeEnvironment): Expanded {
  const { toolkit } = spec;
  switch (toolkit.kind) {
    case "customToolkit":
    case "customMpi":
      return { kind: "text", text: toolkit.commandLine };
    case "horovod":
    case "pyTorch":
      return scriptLine(toolkit.script, node);
  }
}

/** The interpreter and the script are one word each, whatever stands in them; the arguments are shell words. */
function scriptLine(script: PythonScript, { expander }: NodeEnvironment): Expanded {
  const interpreter = expander.path(script.interpreter, "pythonInterpreterPath");
  if (interpreter.kind === "refused") return interpreter;
  const path = expander.path(script.path, "pythonScriptFilePath");
  if (path.kind === "refused") return path;
  const words = [quoteWord(interpreter.text), quoteWord(path.text)];
  return { kind: "text", text: [...words, script.arguments].filter((part) => part !== "").join(" ") };
}

function tasksOf(input: LaunchInput, node: NodeEnvironment, line: string): readonly TaskLaunch[] {
  const { toolkit } = input.spec;
  const { environment } = node;
  switch (toolkit.kind) {
    case "customToolkit": {
      const own = { GPUMESH_TASK_INDEX: "0", AZ_BATCHAI_TASK_INDEX: "0" };
      return [soleTask("main", ["/bin/sh", "-c", line], { ...environment, ...own })];
    }
    case "customMpi":
    case "horovod":
      return [mpirunTask(input, node, line)];
    case "pyTorch":
      return toolkit.backend === "mpi" ? [mpirunTask(input, node, line)] : rankTasks(input, node, line);
  }
}

function mpirunTask(input: LaunchInput, node: NodeEnvironment, line: string): TaskLaunch {
  const argv = mpirunCommand(rankCount(input.spec), layoutOf(input).hostFile, line);
  return soleTask("mpirun", argv, node.environment);
}

function soleTask(
  label: string,
  argv: readonly string[],
  environment: TaskLaunch["environment"],
): TaskLaunch {
  return {
    name: "task-0",
    index: 0,
    label,
    argv,
    environment,
    stdoutName: "stdout.txt",
    stderrName: "stderr.txt",
  };
}

/** Batch AI numbers the output texts by rank where there are several. */
function rankTasks(input: LaunchInput, node: NodeEnvironment, line: string): readonly TaskLaunch[] {
  const { first, count } = ranksOfPart(input.spec, input.partIndex);
  const several = rankCount(input.spec) > 1;
  return Array.from({ length: count }, (_, local) => {
    const rank = first + local;
    const suffix = several ? `-${rank}` : "";
    return {
      name: `task-${rank}`,
      index: rank,
      label: `rank ${rank}`,
      argv: ["/bin/sh", "-c", line],
      environment: { ...node.environment, ...rankEnvironment(input, rank) },
      stdoutName: `stdout${suffix}.txt`,
      stderrName: `stderr${suffix}.txt`,
    };
  });
}
