// Original file: proto/gpumesh/v1/api.proto

import type { SubmitJobReply as _gpumesh_v1_SubmitJobReply, SubmitJobReply__Output as _gpumesh_v1_SubmitJobReply__Output } from '../../gpumesh/v1/SubmitJobReply.ts';

export interface SubmitJobsReply {
  /**
   * As many as were asked for, in the same order. A job that has neither an id nor faults was not queued because of the
   * faults of another one.
   */
  'jobs'?: (_gpumesh_v1_SubmitJobReply)[];
}

export interface SubmitJobsReply__Output {
  /**
   * As many as were asked for, in the same order. A job that has neither an id nor faults was not queued because of the
   * faults of another one.
   */
  'jobs': (_gpumesh_v1_SubmitJobReply__Output)[];
}
