// Original file: proto/gpumesh/v1/api.proto

import type { Long } from '@grpc/proto-loader';

export interface LogChunk {
  /**
   * Position of the first byte of data.
   */
  'offset'?: (number | string | Long);
  'data'?: (Buffer | Uint8Array | string);
  /**
   * The log is complete: nothing will follow, ever.
   */
  'end'?: (boolean);
}

export interface LogChunk__Output {
  /**
   * Position of the first byte of data.
   */
  'offset': (number);
  'data': (Buffer);
  /**
   * The log is complete: nothing will follow, ever.
   */
  'end': (boolean);
}
