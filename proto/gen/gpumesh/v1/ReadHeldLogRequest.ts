// Original file: proto/gpumesh/v1/mesh.proto

import type { Long } from '@grpc/proto-loader';

export interface ReadHeldLogRequest {
  'jobId'?: (number | string | Long);
  'attempt'?: (number);
  'command'?: (string);
  /**
   * stdout or stderr.
   */
  'stream'?: (string);
  'offset'?: (number | string | Long);
  'follow'?: (boolean);
}

export interface ReadHeldLogRequest__Output {
  'jobId': (number);
  'attempt': (number);
  'command': (string);
  /**
   * stdout or stderr.
   */
  'stream': (string);
  'offset': (number);
  'follow': (boolean);
}
