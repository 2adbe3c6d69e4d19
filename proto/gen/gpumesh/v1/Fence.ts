// Original file: proto/gpumesh/v1/mesh.proto

import type { Long } from '@grpc/proto-loader';

export interface Fence {
  'epoch'?: (number | string | Long);
  'index'?: (number | string | Long);
}

export interface Fence__Output {
  'epoch': (number);
  'index': (number);
}
