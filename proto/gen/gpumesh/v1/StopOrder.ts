// Original file: proto/gpumesh/v1/mesh.proto

import type { Fence as _gpumesh_v1_Fence, Fence__Output as _gpumesh_v1_Fence__Output } from '../../gpumesh/v1/Fence.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * Ends everything of the attempt on this node, and reports `stopped` when it is proven gone. Also for attempts that
 * the daemon has never heard of: it then only writes the tombstone.
 */
export interface StopOrder {
  'term'?: (number | string | Long);
  'jobId'?: (number | string | Long);
  'attempt'?: (number);
  'fence'?: (_gpumesh_v1_Fence | null);
  'graceMs'?: (number | string | Long);
}

/**
 * Ends everything of the attempt on this node, and reports `stopped` when it is proven gone. Also for attempts that
 * the daemon has never heard of: it then only writes the tombstone.
 */
export interface StopOrder__Output {
  'term': (number);
  'jobId': (number);
  'attempt': (number);
  'fence': (_gpumesh_v1_Fence__Output | null);
  'graceMs': (number);
}
