import type { JobId, NodeId, PoolId, Session } from "./ids.ts";
import type { NetworkInterface } from "./inventory.ts";

/** Batch AI's scheduling priorities, from first to last. */
export const PRIORITIES = ["high", "normal", "low"] as const;
export type Priority = (typeof PRIORITIES)[number];

/**
 * What one node of the gang gives to the job. `wholeNode`: everything, nothing else runs there (Batch AI's way).
 * `share`: this many GPUs and CPU slots of it.
 */
export type NodeShape =
  | { readonly kind: "wholeNode"; readonly gpusAtLeast: number }
  | { readonly kind: "share"; readonly gpus: number; readonly slots: number };

/** How the job's processes start; the names are Batch AI's. */
export type Toolkit =
  /** `commandLine` runs once, on the first node. */
  | { readonly kind: "customToolkit"; readonly commandLine: string }
  /** `commandLine` is every rank of an MPI job; `mpirun` is gpumesh's business. */
  | { readonly kind: "customMpi"; readonly commandLine: string; readonly processCount: number }
  | { readonly kind: "horovod"; readonly script: PythonScript; readonly processCount: number }
  | {
      readonly kind: "pyTorch";
      readonly script: PythonScript;
      readonly processCount: number;
      readonly backend: PyTorchBackend;
    };

/** How the ranks of a PyTorch job find and talk to each other. MPI starts them with mpirun. */
export const PYTORCH_BACKENDS = ["gloo", "nccl", "tcp", "mpi"] as const;
export type PyTorchBackend = (typeof PYTORCH_BACKENDS)[number];

export interface PythonScript {
  readonly interpreter: string;
  readonly path: string;
  /** Shell words, expanded on the node: `$AZ_BATCHAI_OUTPUT_MODEL` and the like may stand in it. */
  readonly arguments: string;
}

export interface NamedValue {
  readonly name: string;
  readonly value: string;
}

export interface InputDirectory {
  readonly id: string;
  readonly path: string;
}

export interface OutputDirectory {
  readonly id: string;
  readonly pathPrefix: string;
  readonly pathSuffix: string;
}

/** A job as normalised by the job file parser: every default filled in, every number checked. */
export interface JobSpec {
  readonly name: string;
  readonly workspace: string;
  readonly experiment: string;
  readonly priority: Priority;
  readonly pool: PoolId;
  readonly nodeCount: number;
  readonly shape: NodeShape;
  readonly toolkit: Toolkit;
  readonly environment: readonly NamedValue[];
  readonly inputDirectories: readonly InputDirectory[];
  readonly outputDirectories: readonly OutputDirectory[];
  /** Where stdout and stderr files go; null keeps them in the attempt's own folder on each node. */
  readonly stdOutErrPathPrefix: string | null;
  /** Absolute folder in which every command starts; null is the attempt's own folder. */
  readonly workingDirectory: string | null;
  /** How often a failed attempt is tried again. An attempt lost with its node is always tried again, uncounted. */
  readonly maxRetries: number;
}

/** Names one attempt for good: an order or report with another fence is stale. (recovery epoch, raft index). */
export interface Fence {
  readonly epoch: number;
  readonly index: number;
}

/** How one command (rank, mpirun, or remote shell) ended. */
export interface CommandExit {
  /** `task-0`, or `rsh-...` for what mpirun started through the remote shell. */
  readonly command: string;
  /** As a shell gives it: 128 + signal, 127 not found, 126 not executable. */
  readonly code: number;
  /** What ended it: itself, an order to stop, the lease's deadline, or the loss of its shim. */
  readonly endedBy: "itself" | "stopped" | "deadline" | "shim-lost";
  readonly reason: string | null;
}

/** What is known of one node's part of a gang. Written from that node's reports, and by its loss. */
export type PartProgress =
  | { readonly kind: "assigned" }
  | { readonly kind: "prepared" }
  | { readonly kind: "started" }
  /** All tasks of this part ended by themselves; its processes may not all be gone yet. */
  | { readonly kind: "exited"; readonly exits: readonly CommandExit[] }
  /** Proven empty: nothing of this attempt runs on the node any more. */
  | { readonly kind: "stopped"; readonly exits: readonly CommandExit[] }
  /** The node is lost, and proven to run nothing of this attempt. */
  | { readonly kind: "lost"; readonly reason: string };

/** One node's share of a gang. */
export interface Part {
  readonly node: NodeId;
  readonly session: Session;
  readonly address: string;
  readonly hostname: string;
  readonly network: NetworkInterface | null;
  /** UUIDs of the GPUs that this attempt holds on the node. */
  readonly gpus: readonly string[];
  readonly slots: number;
  readonly progress: PartProgress;
}

/** What the leader chose for the launch and no one can derive. */
export interface LaunchChoice {
  /** TCP port on the first node for the ranks' rendezvous. */
  readonly rendezvousPort: number;
  /** Secret that `gpumesh-rsh` must show; with the node's name behind it, it marks every process of the attempt. */
  readonly token: string;
}

export interface Attempt {
  /** 1, 2, 3, ... */
  readonly number: number;
  readonly fence: Fence;
  readonly placedAt: number;
  /** The first part is the head: rank 0 and mpirun run there. */
  readonly parts: readonly Part[];
  readonly launch: LaunchChoice;
}

/** What becomes of the job once every part of the attempt is proven gone. */
export type Outcome =
  | { readonly kind: "succeed" }
  | { readonly kind: "fail"; readonly exitCode: number; readonly reason: string }
  /** `charged`: counts against the job's retries. */
  | { readonly kind: "retry"; readonly charged: boolean; readonly reason: string }
  | { readonly kind: "cancel"; readonly reason: string };

export type JobState =
  | { readonly kind: "queued"; readonly since: number; readonly because: string | null }
  | { readonly kind: "starting"; readonly attempt: Attempt }
  | { readonly kind: "running"; readonly attempt: Attempt; readonly startedAt: number }
  | {
      readonly kind: "terminating";
      readonly attempt: Attempt;
      readonly startedAt: number | null;
      readonly outcome: Outcome;
    }
  | { readonly kind: "succeeded"; readonly endedAt: number }
  | { readonly kind: "failed"; readonly endedAt: number; readonly exitCode: number; readonly reason: string }
  | { readonly kind: "cancelled"; readonly endedAt: number; readonly reason: string };

/** A finished attempt, kept for the job's history. */
export interface PastAttempt {
  readonly number: number;
  readonly placedAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number;
  readonly nodes: readonly NodeId[];
  readonly outcome: Outcome;
}

export interface JobRecord {
  readonly id: JobId;
  readonly requestId: string;
  readonly spec: JobSpec;
  readonly submittedAt: number;
  readonly submittedBy: string;
  readonly state: JobState;
  /** Number of the newest attempt; 0 before the first. */
  readonly attempts: number;
  /** Attempts that ended as failures of the job itself. */
  readonly failures: number;
  /** Preparations refused in a row; a job that can not be prepared anywhere fails instead of looping. */
  readonly refusals: number;
  /** Newest last, at most `historyLengthMax`. */
  readonly history: readonly PastAttempt[];
}

/** The attempt that holds resources now, or null. */
export function activeAttempt(job: JobRecord): Attempt | null {
  const state = job.state;
  return state.kind === "starting" || state.kind === "running" || state.kind === "terminating"
    ? state.attempt
    : null;
}

/** True once the job can never run again. */
export function isTerminal(state: JobState): boolean {
  return state.kind === "succeeded" || state.kind === "failed" || state.kind === "cancelled";
}
