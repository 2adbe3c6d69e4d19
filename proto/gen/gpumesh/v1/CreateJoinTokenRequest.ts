// Original file: proto/gpumesh/v1/api.proto

import type { Long } from '@grpc/proto-loader';

export interface CreateJoinTokenRequest {
  /**
   * 0: one hour. At most 7 days.
   */
  'validMs'?: (number | string | Long);
  /**
   * As in SubmitJobRequest.
   */
  'requestId'?: (string);
}

export interface CreateJoinTokenRequest__Output {
  /**
   * 0: one hour. At most 7 days.
   */
  'validMs': (number);
  /**
   * As in SubmitJobRequest.
   */
  'requestId': (string);
}
