// Original file: proto/gpumesh/v1/api.proto

import type { Long } from '@grpc/proto-loader';

export interface CancelJobRequest {
  'jobId'?: (number | string | Long);
}

export interface CancelJobRequest__Output {
  'jobId': (number);
}
