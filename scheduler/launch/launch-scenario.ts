import { jobId, nodeId, poolId, session } from "../model/ids.ts";
import type { NetworkInterface } from "../model/inventory.ts";
import type { Attempt, JobSpec, Part, Toolkit } from "../model/job.ts";
import type { LaunchInput } from "./launch-input.ts";

/** Builds the inputs of this room's tests: job 7, third attempt, on nodes `n1`, `n2`, ... of `10.0.0.0/24`. */
export interface Scenario {
  readonly toolkit: Toolkit;
  readonly nodes?: number;
  readonly gpusOnEach?: number;
  readonly spec?: Partial<JobSpec>;
  readonly parts?: readonly Partial<Part>[];
}

export function launchInput(scenario: Scenario, partIndex = 0): LaunchInput {
  const nodeCount = scenario.nodes ?? 1;
  const spec: JobSpec = {
    name: "train",
    workspace: "vision",
    experiment: "resnet",
    priority: "normal",
    pool: poolId("gpus"),
    nodeCount,
    shape: { kind: "wholeNode", gpusAtLeast: 0 },
    toolkit: scenario.toolkit,
    environment: [],
    inputDirectories: [],
    outputDirectories: [],
    stdOutErrPathPrefix: null,
    workingDirectory: null,
    maxRetries: 0,
    ...scenario.spec,
  };
  const attempt: Attempt = {
    number: 3,
    fence: { epoch: 0, index: 42 },
    placedAt: 0,
    parts: Array.from({ length: nodeCount }, (_, index) => ({
      ...part(index, scenario.gpusOnEach ?? 0),
      ...scenario.parts?.[index],
    })),
    launch: { rendezvousPort: 29_500, token: "attempt-token" },
  };
  return { job: jobId(7), spec, attempt, partIndex, paths: pathsOf(partIndex) };
}

export function network(name: string, address: string, cidr = "10.0.0.0/24"): NetworkInterface {
  return { name, address, cidr, speedMbps: null, up: true };
}

function part(index: number, gpus: number): Part {
  const name = `n${index + 1}`;
  return {
    node: nodeId(name),
    session: session(index + 10),
    address: `10.0.0.${index + 4}:7400`,
    hostname: `host-${name}`,
    network: network(`eth${index}`, `10.0.0.${index + 4}`),
    gpus: Array.from({ length: gpus }, (_, gpu) => `GPU-${name}-${gpu}`),
    slots: 8,
    progress: { kind: "assigned" },
  };
}

/** Each node has folders of its own. */
function pathsOf(partIndex: number): LaunchInput["paths"] {
  return {
    attemptDir: `/g/n${partIndex + 1}/7-3`,
    rshProgram: "/opt/gpumesh/rsh",
    path: "/usr/bin:/bin",
    home: "/home/user",
  };
}
