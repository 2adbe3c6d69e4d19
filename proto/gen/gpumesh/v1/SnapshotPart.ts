// Original file: proto/gpumesh/v1/mesh.proto

import type { SnapshotHeader as _gpumesh_v1_SnapshotHeader, SnapshotHeader__Output as _gpumesh_v1_SnapshotHeader__Output } from '../../gpumesh/v1/SnapshotHeader.ts';
import type { SnapshotChunk as _gpumesh_v1_SnapshotChunk, SnapshotChunk__Output as _gpumesh_v1_SnapshotChunk__Output } from '../../gpumesh/v1/SnapshotChunk.ts';

export interface SnapshotPart {
  'header'?: (_gpumesh_v1_SnapshotHeader | null);
  'chunk'?: (_gpumesh_v1_SnapshotChunk | null);
  'part'?: "header"|"chunk";
}

export interface SnapshotPart__Output {
  'header'?: (_gpumesh_v1_SnapshotHeader__Output | null);
  'chunk'?: (_gpumesh_v1_SnapshotChunk__Output | null);
  'part'?: "header"|"chunk";
}
