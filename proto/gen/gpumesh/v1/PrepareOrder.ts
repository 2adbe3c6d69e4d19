// Original file: proto/gpumesh/v1/mesh.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Orders carry the leader's term; a daemon that has seen a higher one refuses them.
 */
export interface PrepareOrder {
  'term'?: (number | string | Long);
  'jobId'?: (number | string | Long);
  /**
   * JobSpec.
   */
  'specJson'?: (string);
  /**
   * Attempt, with all parts.
   */
  'attemptJson'?: (string);
}

/**
 * Orders carry the leader's term; a daemon that has seen a higher one refuses them.
 */
export interface PrepareOrder__Output {
  'term': (number);
  'jobId': (number);
  /**
   * JobSpec.
   */
  'specJson': (string);
  /**
   * Attempt, with all parts.
   */
  'attemptJson': (string);
}
