import type { LaunchInput } from "./launch-input.ts";

/** The folders and files of an attempt on one node. */
export interface Layout {
  /** The job's own space on the node's disk. */
  readonly jobTemp: string;
  /** TMPDIR: one for each part, so that parts on one machine never share MPI's session folders. */
  readonly tmp: string;
  readonly mounts: string;
  readonly logs: string;
  /** A folder that all nodes of the job share: only where the job has one node. */
  readonly shared: string | null;
  readonly hostFile: string;
  readonly mpichHostFile: string;
  /** What tells this attempt's folders from all others below a common prefix. */
  readonly segment: string;
}

export function layoutOf(input: LaunchInput): Layout {
  const { attemptDir } = input.paths;
  const { workspace, experiment } = input.spec;
  return {
    jobTemp: `${attemptDir}/work`,
    tmp: `${attemptDir}/tmp`,
    mounts: `${attemptDir}/mounts`,
    logs: `${attemptDir}/logs`,
    shared: input.attempt.parts.length === 1 ? `${attemptDir}/shared` : null,
    hostFile: `${attemptDir}/hostfile`,
    mpichHostFile: `${attemptDir}/hostfile.mpich`,
    segment: `${workspace}/${experiment}/${input.job}/${input.attempt.number}`,
  };
}
