// Original file: proto/gpumesh/v1/api.proto

import type { LogStream as _gpumesh_v1_LogStream, LogStream__Output as _gpumesh_v1_LogStream__Output } from '../../gpumesh/v1/LogStream.ts';
import type { Long } from '@grpc/proto-loader';

export interface ReadLogRequest {
  'jobId'?: (number | string | Long);
  /**
   * 0: the newest.
   */
  'attempt'?: (number);
  /**
   * A command of the attempt, e.g. `task-0`.
   */
  'command'?: (string);
  'stream'?: (_gpumesh_v1_LogStream);
  /**
   * First byte wanted, from 0.
   */
  'offset'?: (number | string | Long);
  'follow'?: (boolean);
}

export interface ReadLogRequest__Output {
  'jobId': (number);
  /**
   * 0: the newest.
   */
  'attempt': (number);
  /**
   * A command of the attempt, e.g. `task-0`.
   */
  'command': (string);
  'stream': (_gpumesh_v1_LogStream__Output);
  /**
   * First byte wanted, from 0.
   */
  'offset': (number);
  'follow': (boolean);
}
