// Original file: proto/gpumesh/v1/mesh.proto

import type { Long } from '@grpc/proto-loader';

export interface RaftEntry {
  'term'?: (number | string | Long);
  'index'?: (number | string | Long);
  /**
   * EntryNormal, EntryConfChange or EntryConfChangeV2.
   */
  'type'?: (string);
  'data'?: (Buffer | Uint8Array | string);
}

export interface RaftEntry__Output {
  'term': (number);
  'index': (number);
  /**
   * EntryNormal, EntryConfChange or EntryConfChangeV2.
   */
  'type': (string);
  'data': (Buffer);
}
