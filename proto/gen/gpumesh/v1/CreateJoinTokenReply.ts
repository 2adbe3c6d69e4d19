// Original file: proto/gpumesh/v1/api.proto

import type { Long } from '@grpc/proto-loader';

export interface CreateJoinTokenReply {
  'token'?: (string);
  'expiresAtMs'?: (number | string | Long);
}

export interface CreateJoinTokenReply__Output {
  'token': (string);
  'expiresAtMs': (number);
}
