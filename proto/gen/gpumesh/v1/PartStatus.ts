// Original file: proto/gpumesh/v1/mesh.proto

import type { Fence as _gpumesh_v1_Fence, Fence__Output as _gpumesh_v1_Fence__Output } from '../../gpumesh/v1/Fence.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * What the ledger of a node says of one attempt.
 */
export interface PartStatus {
  'jobId'?: (number | string | Long);
  'attempt'?: (number);
  'fence'?: (_gpumesh_v1_Fence | null);
  /**
   * PartReport; empty: assigned, nothing to report yet.
   */
  'reportJson'?: (string);
}

/**
 * What the ledger of a node says of one attempt.
 */
export interface PartStatus__Output {
  'jobId': (number);
  'attempt': (number);
  'fence': (_gpumesh_v1_Fence__Output | null);
  /**
   * PartReport; empty: assigned, nothing to report yet.
   */
  'reportJson': (string);
}
