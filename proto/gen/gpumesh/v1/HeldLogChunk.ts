// Original file: proto/gpumesh/v1/mesh.proto

import type { Long } from '@grpc/proto-loader';

export interface HeldLogChunk {
  'offset'?: (number | string | Long);
  'data'?: (Buffer | Uint8Array | string);
  'end'?: (boolean);
}

export interface HeldLogChunk__Output {
  'offset': (number);
  'data': (Buffer);
  'end': (boolean);
}
