import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeFault } from "../../../scheduler/model/fault.ts";
import type { NormalisedJob } from "../../../scheduler/jobfile/normalised-job.ts";
import { parseJobDocument, parseJobFile } from "../../../scheduler/jobfile/parse-job-file.ts";

/** Batch AI's official recipes and the sample requests of its API, read where they lie. */
const data = join(import.meta.dirname, "../../../../shared/data/batch-ai");

/** What each recipe must come to: nodes, toolkit, and the processes of the whole job. */
const recipes: Readonly<
  Record<string, readonly [nodes: number, toolkit: keyof NormalisedJob, processes: number | null]>
> = {
  "CNTK/CNTK-GPU-BrainScript/job.json": [1, "cntkSettings", 1],
  "CNTK/CNTK-GPU-BrainScript-Distributed/job.json": [2, "cntkSettings", 2],
  "CNTK/CNTK-GPU-Python/job.json": [1, "cntkSettings", 1],
  "CNTK/CNTK-GPU-Python-Distributed/job.json": [2, "cntkSettings", 2],
  "Chainer/Chainer-GPU-Distributed/job.json": [2, "chainerSettings", 2],
  "Horovod/Horovod-Infiniband-Benchmark/job.json": [2, "horovodSettings", 8],
  "Horovod/Horovod-Tensorflow/job.json": [2, "horovodSettings", 2],
  "Keras/Keras-GPU/job_tensorflow.json": [1, "tensorFlowSettings", null],
  "PyTorch/PyTorch-GPU-Distributed-Gloo/job.json": [2, "pyTorchSettings", 2],
  "TensorFlow/TensorFlow-GPU/job.json": [1, "tensorFlowSettings", null],
  "TensorFlow/TensorFlow-GPU-Distributed/job.json": [2, "tensorFlowSettings", null],
};

describe("the recipes", () => {
  it("are all known here", () => {
    const found = readdirSync(join(data, "recipes"), { recursive: true, encoding: "utf8" });
    expect(found.filter((name) => name.endsWith(".json")).toSorted()).toEqual(
      Object.keys(recipes).toSorted(),
    );
  });

  it.each(Object.entries(recipes))("%s", (name, [nodes, toolkit, processes]) => {
    const parsed = parseJobFile(readFileSync(join(data, "recipes", name), "utf8"));
    if (parsed.kind === "faults") throw new Error(parsed.faults.map(describeFault).join("\n"));
    const { job } = parsed;
    expect(job.nodeCount).toBe(nodes);
    expect(job.wholeNodes).toBe(true);
    expect(job[toolkit]).toBeDefined();
    if (processes !== null) expect(job[toolkit]).toMatchObject({ processCount: processes });
    expect(job.stdOutErrPathPrefix).toMatch(/^\$AZ_BATCHAI_(JOB_)?MOUNT_ROOT\//);
    expect(parsed.notSupportedYet.map(({ path }) => path)).toContain("properties.containerSettings");
  });

  it("have the programs and counts that Batch AI gave them", () => {
    expect(jobOf("CNTK/CNTK-GPU-BrainScript/job.json").cntkSettings).toMatchObject({
      languageType: "BrainScript",
      configFilePath: "$AZ_BATCHAI_INPUT_CONFIG/ConvNet_MNIST.cntk",
    });
    expect(jobOf("CNTK/CNTK-GPU-Python/job.json").cntkSettings).toMatchObject({ languageType: "Python" });
    expect(jobOf("PyTorch/PyTorch-GPU-Distributed-Gloo/job.json").pyTorchSettings).toMatchObject({
      communicationBackend: "gloo",
      pythonScriptFilePath: "$AZ_BATCHAI_JOB_MOUNT_ROOT/scripts/pytorch/mnist_trainer.py",
    });
    expect(jobOf("TensorFlow/TensorFlow-GPU-Distributed/job.json").tensorFlowSettings).toMatchObject({
      workerCount: 2,
      parameterServerCount: 1,
    });
    expect(jobOf("TensorFlow/TensorFlow-GPU/job.json").tensorFlowSettings).toMatchObject({
      workerCount: 1,
      parameterServerCount: 0,
    });
  });
});

it("takes the body of the API's sample request", () => {
  const sample = JSON.parse(readFileSync(join(data, "swagger-examples/PutJob.json"), "utf8")) as {
    readonly parameters: { readonly parameters: unknown };
  };
  const parsed = parseJobDocument(sample.parameters.parameters);
  expect(parsed).toMatchObject({
    kind: "job",
    job: {
      pool: "demo_cluster",
      nodeCount: 1,
      schedulingPriority: "normal",
      customToolkitSettings: { commandLine: "echo hi | tee $AZ_BATCHAI_OUTPUT_OUTPUTS/hi.txt" },
      outputDirectories: [
        { id: "OUTPUTS", pathPrefix: "$AZ_BATCHAI_MOUNT_ROOT/azfiles/", pathSuffix: "files" },
      ],
    },
    notSupportedYet: [{ path: "properties.containerSettings", reason: "not supported yet" }],
  });
});

function jobOf(recipe: string): NormalisedJob {
  const parsed = parseJobFile(readFileSync(join(data, "recipes", recipe), "utf8"));
  if (parsed.kind === "faults") throw new Error(parsed.faults.map(describeFault).join("\n"));
  return parsed.job;
}
