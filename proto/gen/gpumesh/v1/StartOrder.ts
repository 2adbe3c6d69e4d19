// Original file: proto/gpumesh/v1/mesh.proto

import type { Fence as _gpumesh_v1_Fence, Fence__Output as _gpumesh_v1_Fence__Output } from '../../gpumesh/v1/Fence.ts';
import type { Long } from '@grpc/proto-loader';

export interface StartOrder {
  'term'?: (number | string | Long);
  'jobId'?: (number | string | Long);
  'attempt'?: (number);
  'fence'?: (_gpumesh_v1_Fence | null);
}

export interface StartOrder__Output {
  'term': (number);
  'jobId': (number);
  'attempt': (number);
  'fence': (_gpumesh_v1_Fence__Output | null);
}
