// Original file: proto/gpumesh/v1/mesh.proto

import type { Long } from '@grpc/proto-loader';

export interface RenewalAccepted {
  'sequence'?: (number | string | Long);
}

export interface RenewalAccepted__Output {
  'sequence': (number);
}
