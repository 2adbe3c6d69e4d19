// Original file: proto/gpumesh/v1/api.proto

import type { Fault as _gpumesh_v1_Fault, Fault__Output as _gpumesh_v1_Fault__Output } from '../../gpumesh/v1/Fault.ts';
import type { Long } from '@grpc/proto-loader';

export interface SubmitJobReply {
  /**
   * 0 when there are faults.
   */
  'jobId'?: (number | string | Long);
  /**
   * Everything that is wrong with the job, at once. Nothing was queued.
   */
  'faults'?: (_gpumesh_v1_Fault)[];
}

export interface SubmitJobReply__Output {
  /**
   * 0 when there are faults.
   */
  'jobId': (number);
  /**
   * Everything that is wrong with the job, at once. Nothing was queued.
   */
  'faults': (_gpumesh_v1_Fault__Output)[];
}
