import type { JobId } from "../model/ids.ts";
import type { Attempt, JobSpec } from "../model/job.ts";

/** One node's part of a placed gang, and where things are on that node. */
export interface LaunchInput {
  readonly job: JobId;
  readonly spec: JobSpec;
  readonly attempt: Attempt;
  /** From 0, the head. */
  readonly partIndex: number;
  readonly paths: NodePaths;
}

/** All absolute. */
export interface NodePaths {
  /** This attempt's own folder on this node. Keep it short: Open MPI makes socket paths below it. */
  readonly attemptDir: string;
  /** The remote shell that MPI starts its daemons with. */
  readonly rshProgram: string;
  /** The PATH that commands start with. */
  readonly path: string;
  readonly home: string;
}

/** What one node starts with. */
export interface PartLaunch {
  readonly kind: "launch";
  /** None on a node that only serves mpirun's remote shell. */
  readonly tasks: readonly TaskLaunch[];
  /** Of this node; the whole environment of what is started here through the remote shell. */
  readonly environment: Readonly<Record<string, string>>;
  /** To be made before the start, parents too, in this order. */
  readonly directories: readonly string[];
  readonly files: readonly LaunchFile[];
  /** Where the files of standard output and error go. */
  readonly logDirectory: string;
  /** Where every command starts, those of the remote shell too. */
  readonly workingDirectory: string;
}

export interface TaskLaunch {
  /** `task-<index>` */
  readonly name: string;
  readonly index: number;
  /** `mpirun`, `rank 3` or `main`. */
  readonly label: string;
  /** The first is looked up in the environment's PATH. */
  readonly argv: readonly string[];
  /** The whole environment: the node's, and what is this task's own. */
  readonly environment: Readonly<Record<string, string>>;
  readonly stdoutName: string;
  readonly stderrName: string;
}

export interface LaunchFile {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
}

/** The part can not be prepared; the whole gang is refused with this reason. */
export interface LaunchRefused {
  readonly kind: "refused";
  readonly reason: string;
}
