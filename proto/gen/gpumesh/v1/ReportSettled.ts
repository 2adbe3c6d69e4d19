// Original file: proto/gpumesh/v1/mesh.proto

import type { Fence as _gpumesh_v1_Fence, Fence__Output as _gpumesh_v1_Fence__Output } from '../../gpumesh/v1/Fence.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * The report of this kind is in the replicated state, or will never be taken: it need not be sent again.
 */
export interface ReportSettled {
  'jobId'?: (number | string | Long);
  'attempt'?: (number);
  'fence'?: (_gpumesh_v1_Fence | null);
  /**
   * prepared, refused, exited or stopped.
   */
  'kind'?: (string);
}

/**
 * The report of this kind is in the replicated state, or will never be taken: it need not be sent again.
 */
export interface ReportSettled__Output {
  'jobId': (number);
  'attempt': (number);
  'fence': (_gpumesh_v1_Fence__Output | null);
  /**
   * prepared, refused, exited or stopped.
   */
  'kind': (string);
}
