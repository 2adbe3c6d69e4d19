// Original file: proto/gpumesh/v1/mesh.proto

import type { RaftMessage as _gpumesh_v1_RaftMessage, RaftMessage__Output as _gpumesh_v1_RaftMessage__Output } from '../../gpumesh/v1/RaftMessage.ts';

export interface RaftBatch {
  'messages'?: (_gpumesh_v1_RaftMessage)[];
}

export interface RaftBatch__Output {
  'messages': (_gpumesh_v1_RaftMessage__Output)[];
}
