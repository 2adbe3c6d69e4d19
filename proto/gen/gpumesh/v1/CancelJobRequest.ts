// Original file: proto/gpumesh/v1/api.proto

import type { Long } from '@grpc/proto-loader';

export interface CancelJobRequest {
  'jobId'?: (number | string | Long);
  /**
   * As in SubmitJobRequest: a repeated call that carries the same one gets the same answer.
   */
  'requestId'?: (string);
}

export interface CancelJobRequest__Output {
  'jobId': (number);
  /**
   * As in SubmitJobRequest: a repeated call that carries the same one gets the same answer.
   */
  'requestId': (string);
}
