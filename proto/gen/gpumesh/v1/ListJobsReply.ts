// Original file: proto/gpumesh/v1/api.proto

import type { Job as _gpumesh_v1_Job, Job__Output as _gpumesh_v1_Job__Output } from '../../gpumesh/v1/Job.ts';

export interface ListJobsReply {
  /**
   * Newest first.
   */
  'jobs'?: (_gpumesh_v1_Job)[];
  /**
   * True when older jobs were left out.
   */
  'truncated'?: (boolean);
}

export interface ListJobsReply__Output {
  /**
   * Newest first.
   */
  'jobs': (_gpumesh_v1_Job__Output)[];
  /**
   * True when older jobs were left out.
   */
  'truncated': (boolean);
}
