import type { JobSpec } from "./job.ts";

/** Ranks `first` to `first + count - 1`. */
export interface RankRange {
  readonly first: number;
  readonly count: number;
}

/** How many ranks the job has in all: 1 for `customToolkit`, else its `processCount`. */
export function rankCount(spec: Pick<JobSpec, "toolkit">): number {
  return spec.toolkit.kind === "customToolkit" ? 1 : spec.toolkit.processCount;
}

/**
 * The ranks of one part of the gang, by blocks: consecutive ranks share a node, and the first
 * `rankCount % nodeCount` parts get one rank more than the others. A part may get none.
 *
 * @param partIndex from 0 (the head) to `nodeCount - 1`
 */
export function ranksOfPart(spec: Pick<JobSpec, "toolkit" | "nodeCount">, partIndex: number): RankRange {
  const ranks = rankCount(spec);
  const base = Math.floor(ranks / spec.nodeCount);
  const larger = ranks % spec.nodeCount;
  return {
    first: partIndex * base + Math.min(partIndex, larger),
    count: base + (partIndex < larger ? 1 : 0),
  };
}

/**
 * True where gpumesh itself starts a command on the part. What `mpirun` starts through the remote shell is not a
 * task: an MPI job has one task, `mpirun`, on the head. The job has succeeded when every part with tasks has exited
 * with code 0.
 */
export function partHasTasks(spec: Pick<JobSpec, "toolkit" | "nodeCount">, partIndex: number): boolean {
  return startsByHead(spec) ? partIndex === 0 : ranksOfPart(spec, partIndex).count > 0;
}

function startsByHead({ toolkit }: Pick<JobSpec, "toolkit">): boolean {
  switch (toolkit.kind) {
    case "customToolkit":
    case "customMpi":
    case "horovod":
      return true;
    case "pyTorch":
      return toolkit.backend === "mpi";
  }
}

/** The names of the commands that gpumesh starts on the part, `task-<index>`, in order of their index. */
export function tasksOfPart(
  spec: Pick<JobSpec, "toolkit" | "nodeCount">,
  partIndex: number,
): readonly string[] {
  if (startsByHead(spec)) return partIndex === 0 ? ["task-0"] : [];
  const { first, count } = ranksOfPart(spec, partIndex);
  return Array.from({ length: count }, (_, offset) => `task-${first + offset}`);
}
