// Original file: proto/gpumesh/v1/mesh.proto

import type { StateRecord as _gpumesh_v1_StateRecord, StateRecord__Output as _gpumesh_v1_StateRecord__Output } from '../../gpumesh/v1/StateRecord.ts';

export interface SnapshotChunk {
  'records'?: (_gpumesh_v1_StateRecord)[];
}

export interface SnapshotChunk__Output {
  'records': (_gpumesh_v1_StateRecord__Output)[];
}
