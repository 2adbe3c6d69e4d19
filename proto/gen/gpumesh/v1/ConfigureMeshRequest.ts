// Original file: proto/gpumesh/v1/api.proto

import type { Long } from '@grpc/proto-loader';

export interface ConfigureMeshRequest {
  /**
   * As in SubmitJobRequest.
   */
  'requestId'?: (string);
  /**
   * 1000 (one second) to 2592000000 (30 days).
   */
  'voterReplaceAfterMs'?: (number | string | Long);
}

export interface ConfigureMeshRequest__Output {
  /**
   * As in SubmitJobRequest.
   */
  'requestId': (string);
  /**
   * 1000 (one second) to 2592000000 (30 days).
   */
  'voterReplaceAfterMs': (number);
}
