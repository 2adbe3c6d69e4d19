// Original file: proto/gpumesh/v1/mesh.proto

import type { RaftMessage as _gpumesh_v1_RaftMessage, RaftMessage__Output as _gpumesh_v1_RaftMessage__Output } from '../../gpumesh/v1/RaftMessage.ts';
import type { Long } from '@grpc/proto-loader';

export interface SnapshotHeader {
  /**
   * A MsgSnap with the place of the snapshot, and without data.
   */
  'message'?: (_gpumesh_v1_RaftMessage | null);
  /**
   * How many records follow, and the sum of their checksums modulo 2^32.
   */
  'recordCount'?: (number | string | Long);
  'recordSum'?: (number | string | Long);
}

export interface SnapshotHeader__Output {
  /**
   * A MsgSnap with the place of the snapshot, and without data.
   */
  'message': (_gpumesh_v1_RaftMessage__Output | null);
  /**
   * How many records follow, and the sum of their checksums modulo 2^32.
   */
  'recordCount': (number);
  'recordSum': (number);
}
