import { describe, expect, it } from "vitest";
import { describeFault } from "../model/fault.ts";
import { jobFileJsonSchema } from "./job-file-schema.ts";
import type { NormalisedJob } from "./normalised-job.ts";
import type { NotSupported } from "./not-supported.ts";
import { parseJobFile } from "./parse-job-file.ts";
import { toJobSpec } from "./to-job-spec.ts";

describe("the native form", () => {
  it("fills in every default", () => {
    expect(jobOf("customToolkitSettings: {commandLine: hostname}")).toEqual({
      name: "job",
      workspace: "default",
      experiment: "default",
      pool: "default",
      schedulingPriority: "normal",
      nodeCount: 1,
      wholeNodes: true,
      gpusPerNode: 0,
      customToolkitSettings: { commandLine: "hostname" },
      environmentVariables: [],
      inputDirectories: [],
      outputDirectories: [],
      maxRetries: 0,
    });
  });

  it("takes every property", () => {
    const job = jobOf(`
      # a comment
      name: train-1
      workspace: vision
      experiment: resnet
      pool: h100
      schedulingPriority: high
      nodeCount: 2
      gpusPerNode: 4
      slotsPerNode: 8
      maxRetries: 3
      workingDirectory: $AZ_BATCHAI_INPUT_CODE
      stdOutErrPathPrefix: /logs
      environmentVariables:
        OMP_NUM_THREADS: "4"
        EMPTY: ""
      inputDirectories: [{id: CODE, path: /code}]
      outputDirectories: [{id: MODEL, pathPrefix: $HOME/out, pathSuffix: models}]
      pyTorchSettings:
        pythonScriptFilePath: train.py
        commandLineArgs: --lr 0.1
        processCount: 8
        communicationBackend: NCCL
    `);
    expect(toJobSpec(job)).toEqual({
      name: "train-1",
      workspace: "vision",
      experiment: "resnet",
      priority: "high",
      pool: "h100",
      nodeCount: 2,
      shape: { kind: "share", gpus: 4, slots: 8 },
      toolkit: {
        kind: "pyTorch",
        script: { interpreter: "python3", path: "train.py", arguments: "--lr 0.1" },
        processCount: 8,
        backend: "nccl",
      },
      environment: [
        { name: "OMP_NUM_THREADS", value: "4" },
        { name: "EMPTY", value: "" },
      ],
      inputDirectories: [{ id: "CODE", path: "/code" }],
      outputDirectories: [{ id: "MODEL", pathPrefix: "$HOME/out", pathSuffix: "models" }],
      stdOutErrPathPrefix: "/logs",
      workingDirectory: "$AZ_BATCHAI_INPUT_CODE",
      maxRetries: 3,
    });
  });

  it("counts processes over the whole job: one a node unless given", () => {
    expect(jobOf("nodeCount: 3\ncustomMpiSettings: {commandLine: a.out}").customMpiSettings).toEqual({
      commandLine: "a.out",
      processCount: 3,
    });
  });

  it.each([
    ["", { kind: "wholeNode", gpusAtLeast: 0 }],
    ["wholeNodes: true\ngpusPerNode: 4", { kind: "wholeNode", gpusAtLeast: 4 }],
    ["gpusPerNode: 2", { kind: "share", gpus: 2, slots: 0 }],
    ["slotsPerNode: 2", { kind: "share", gpus: 0, slots: 2 }],
    ["wholeNodes: false\nslotsPerNode: 1", { kind: "share", gpus: 0, slots: 1 }],
  ])("gives the job its shape: %j", (lines, shape) => {
    expect(toJobSpec(jobOf(`${lines}\ncustomToolkitSettings: {commandLine: x}`)).shape).toEqual(shape);
  });

  it("reads its own output as the same job", () => {
    const job = jobOf(`
      customToolkitSettings: {commandLine: x}
      slotsPerNode: 1
      cluster: {id: /a/b/gpu-pool/}
      environmentVariables: {A: b}
      outputDirectories: [{id: O, pathPrefix: /o}]
      constraints: {}
      mountVolumes: {azureFileShares: [{azureFileUrl: https://x, relativeMountPath: a}]}
    `);
    expect(job.pool).toBe("gpu-pool");
    expect(job.constraints).toEqual({ maxWallClockTime: "P7D" });
    expect(jobOf(JSON.stringify(job))).toEqual(job);
  });
});

describe("Batch AI's form", () => {
  const body = {
    location: "eastus",
    tags: { team: "vision" },
    name: "demo",
    properties: {
      cluster: { id: "/subscriptions/0/resourceGroups/rg/providers/Microsoft.BatchAI/clusters/demo_cluster" },
      nodeCount: 2,
      stdOutErrPathPrefix: "$AZ_BATCHAI_MOUNT_ROOT/azfiles",
      horovodSettings: { pythonScriptFilePath: "train.py", processCount: 8 },
      environmentVariables: [{ name: "A", value: "1" }],
    },
  };

  it("is the same job as its native form", () => {
    const native = { ...body.properties, cluster: undefined, pool: "demo_cluster", name: "demo" };
    expect(jobOf(JSON.stringify(body))).toEqual(jobOf(JSON.stringify(native)));
  });

  it("needs what Batch AI needed, and knows no native property", () => {
    const { stdOutErrPathPrefix: _, ...rest } = body.properties;
    const faults = faultsOf(JSON.stringify({ properties: { ...rest, gpusPerNode: 1 } }));
    expect(faults).toContain(
      'properties.gpusPerNode: found an unknown property; allowed: gpusPerNode only in the form without "properties"',
    );
    expect(
      faults.find((fault) => fault.startsWith("properties.stdOutErrPathPrefix: found nothing")),
    ).toBeDefined();
  });
});

describe("faults", () => {
  it("are reported all at once, each with its place, what was found and what is allowed", () => {
    expect(
      faultsOf(`
        nodeCuont: 2
        nodeCount: 0
        schedulingPriority: urgent
        customMpiSettings: {commandLine: "", processCount: 1.5}
        customToolkitSettings: {commandLine: x}
        environmentVariables: {GPUMESH_X: a, OK: 4}
        outputDirectories: [{id: a b, pathPrefix: out, pathSuffix: ../up}]
      `),
    ).toMatchInlineSnapshot(`
      [
        "schedulingPriority: found "urgent"; allowed: high, normal, low",
        "customMpiSettings.commandLine: found ""; allowed: the command line of each rank, without mpirun: 1 to 32768 characters, not all blank, without NUL",
        "customMpiSettings.processCount: found 1.5; allowed: a whole number from 1 to 100000",
        "outputDirectories[0].id: found "a b"; allowed: an id of letters, digits and _",
        "outputDirectories[0].pathPrefix: found "out"; allowed: where the job's output folder is made: an absolute path, or one that starts with a $VARIABLE, of at most 4095 characters",
        "outputDirectories[0].pathSuffix: found "../up"; allowed: folder inside the job's output folder: a relative path without "..", of at most 4095 characters",
        "nodeCount: found 0; allowed: a whole number from 1 to 10000",
        "environmentVariables.GPUMESH_X: found this name; allowed: a variable name: letters, digits and _, not starting with a digit; GPUMESH_*, AZ_BATCH* and CUDA_VISIBLE_DEVICES are set by gpumesh alone",
        "environmentVariables.OK: found 4; allowed: the variable's value as text (a number stands in quotes) of at most 32768 characters, without NUL",
        "nodeCuont: found an unknown property; allowed: did you mean nodeCount?",
        "job file: found customMpiSettings, customToolkitSettings; allowed: exactly one of cntkSettings, caffeSettings, caffe2Settings, chainerSettings, pyTorchSettings, tensorFlowSettings, horovodSettings, customMpiSettings, customToolkitSettings",
      ]
    `);
  });

  it.each([
    ["nodeCount: 1", "job file: found no toolkit"],
    ["{properties: 4}", "properties: found 4"],
    ["properties: {nodeCount: 1}", "properties: found no toolkit"],
    ["[1]", "job file: found a list of 1"],
    ["", "job file: found null"],
    ["pool: a\ncluster: {id: b}", "cluster: found it beside pool"],
    ["cluster: {id: a b}", 'cluster.id: found "a b"'],
    ["wholeNodes: true\nslotsPerNode: 2", "slotsPerNode: found it with wholeNodes"],
    ["gpusPerNode: 0", "gpusPerNode: found a share of nothing"],
    ["wholeNodes: false", "wholeNodes: found a share of nothing"],
    [
      "pyTorchSettings: {pythonScriptFilePath: a, communicationBackend: mpich}",
      "pyTorchSettings.communication",
    ],
    ["cntkSettings: {}", "cntkSettings: found no program"],
    [
      "cntkSettings: {languageType: brainscript, pythonScriptFilePath: a}",
      "cntkSettings.configFilePath: found nothing",
    ],
    [
      "cntkSettings: {languageType: Python, configFilePath: a}",
      "cntkSettings.configFilePath: found it with Python",
    ],
    ["caffeSettings: {configFilePath: a, pythonScriptFilePath: b}", "caffeSettings: found both"],
    [
      "caffeSettings: {configFilePath: a, pythonInterpreterPath: b}",
      "caffeSettings.pythonInterpreterPath: found",
    ],
    [
      "tensorFlowSettings: {pythonScriptFilePath: a, parameterServerCount: 2}",
      "tensorFlowSettings.parameterServerCount: found 2; allowed: at most nodeCount, 1",
    ],
    [
      "environmentVariables: [{name: A, value: b}, {name: A, value: c}]",
      'environmentVariables[1].name: found "A"',
    ],
    ["environmentVariables: {CUDA_VISIBLE_DEVICES: '0'}", "environmentVariables.CUDA_VISIBLE_DEVICES: found"],
    ["environmentVariables: {A: b}\nsecrets: [{name: A, value: c}]", 'secrets[0].name: found "A"'],
    ["environmentVariables: {__proto__: a}", "environmentVariables.__proto__: found this name"],
    ["secrets: [{name: A}]", "secrets[0]: found neither"],
    ["inputDirectories: [{id: A, path: /a}, {id: A, path: /b}]", 'inputDirectories[1].id: found "A"'],
    ["outputDirectories: [{id: stdOutErr, pathPrefix: /a}]", "outputDirectories[0].id: found stdouterr"],
    ["constraints: {maxWallClockTime: P8D}", 'constraints.maxWallClockTime: found "P8D"'],
    ["constraints: {maxWallClockTime: a week}", 'constraints.maxWallClockTime: found "a week"'],
    ["workingDirectory: relative", 'workingDirectory: found "relative"'],
    ['name: "a\\0b"', 'name: found "a\\u0000b"'],
    ['customToolkitSettings: {commandLine: "a\\0b"}', "customToolkitSettings.commandLine: found"],
    ["maxRetries: 101", "maxRetries: found 101"],
  ])("%s", (text, start) => {
    expect(faultsOf(text).find((fault) => fault.startsWith(start))).toBeDefined();
  });

  it("never show a secret", () => {
    const text = "secrets: [{name: 4, value: [hunter2]}, {name: hunter3, value: 7331}]";
    expect(faultsOf(text).join("\n")).not.toMatch(/hunter|7331/);
  });
});

describe("what is not supported yet", () => {
  it("is named, not ignored, and gives no job spec", () => {
    const text = `
      tensorFlowSettings: {pythonScriptFilePath: a}
      containerSettings: {imageSourceRegistry: {image: ubuntu}}
      mountVolumes: {}
      secrets: [{name: A, value: b}]
      jobPreparation: {commandLine: pip install x}
      constraints: {maxWallClockTime: 1.00:00:00}
    `;
    const missing = [
      "containerSettings",
      "mountVolumes",
      "secrets",
      "jobPreparation",
      "constraints",
      "tensorFlowSettings",
    ];
    expect(parsedOf(text).notSupportedYet).toEqual(
      missing.map((path) => ({ path, reason: "not supported yet" })),
    );
    expect(parsedOf(text).job.constraints).toEqual({ maxWallClockTime: "P1D" });
    expect(() => toJobSpec(parsedOf(text).job)).toThrow("containerSettings, mountVolumes");
  });

  it("has the path of Batch AI's form", () => {
    const text = `{properties: {nodeCount: 1, stdOutErrPathPrefix: /l, caffe2Settings: {pythonScriptFilePath: a}}}`;
    expect(parsedOf(text).notSupportedYet.map(({ path }) => path)).toEqual(["properties.caffe2Settings"]);
  });
});

it("gives a JSON Schema with both forms", () => {
  const schema = JSON.stringify(jobFileJsonSchema());
  expect(jobFileJsonSchema()).toMatchObject({
    anyOf: [{ additionalProperties: false }, { required: ["properties"] }],
  });
  expect(schema).toContain("^(?:[Gg][Ll][Oo][Oo]|");
});

function parsedOf(text: string): {
  readonly job: NormalisedJob;
  readonly notSupportedYet: readonly NotSupported[];
} {
  const parsed = parseJobFile(text);
  if (parsed.kind === "faults") throw new Error(parsed.faults.map(describeFault).join("\n"));
  return parsed;
}

function jobOf(text: string): NormalisedJob {
  return parsedOf(text).job;
}

function faultsOf(text: string): readonly string[] {
  const parsed = parseJobFile(text);
  return parsed.kind === "job" ? [] : parsed.faults.map(describeFault);
}
