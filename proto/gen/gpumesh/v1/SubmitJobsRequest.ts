// Original file: proto/gpumesh/v1/api.proto

import type { SubmitJobRequest as _gpumesh_v1_SubmitJobRequest, SubmitJobRequest__Output as _gpumesh_v1_SubmitJobRequest__Output } from '../../gpumesh/v1/SubmitJobRequest.ts';

export interface SubmitJobsRequest {
  /**
   * 1 to 1000, each with a request_id of its own; at most 3 MiB of job files in all.
   */
  'jobs'?: (_gpumesh_v1_SubmitJobRequest)[];
}

export interface SubmitJobsRequest__Output {
  /**
   * 1 to 1000, each with a request_id of its own; at most 3 MiB of job files in all.
   */
  'jobs': (_gpumesh_v1_SubmitJobRequest__Output)[];
}
