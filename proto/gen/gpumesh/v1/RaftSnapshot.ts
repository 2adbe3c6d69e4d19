// Original file: proto/gpumesh/v1/mesh.proto

import type { Long } from '@grpc/proto-loader';

export interface RaftSnapshot {
  'data'?: (Buffer | Uint8Array | string);
  'index'?: (number | string | Long);
  'term'?: (number | string | Long);
  'voters'?: (number | string | Long)[];
  'votersOutgoing'?: (number | string | Long)[];
  'learners'?: (number | string | Long)[];
  'learnersNext'?: (number | string | Long)[];
  'autoLeave'?: (boolean);
}

export interface RaftSnapshot__Output {
  'data': (Buffer);
  'index': (number);
  'term': (number);
  'voters': (number)[];
  'votersOutgoing': (number)[];
  'learners': (number)[];
  'learnersNext': (number)[];
  'autoLeave': (boolean);
}
