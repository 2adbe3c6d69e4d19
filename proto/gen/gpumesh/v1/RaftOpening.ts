// Original file: proto/gpumesh/v1/mesh.proto

import type { Long } from '@grpc/proto-loader';

export interface RaftOpening {
  /**
   * 16 hexadecimal digits.
   */
  'name'?: (string);
  /**
   * The newest synced batch that was found.
   */
  'foundBatch'?: (number | string | Long);
}

export interface RaftOpening__Output {
  /**
   * 16 hexadecimal digits.
   */
  'name': (string);
  /**
   * The newest synced batch that was found.
   */
  'foundBatch': (number);
}
