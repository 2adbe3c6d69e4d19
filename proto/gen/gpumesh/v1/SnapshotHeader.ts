// Original file: proto/gpumesh/v1/mesh.proto

import type { RaftMessage as _gpumesh_v1_RaftMessage, RaftMessage__Output as _gpumesh_v1_RaftMessage__Output } from '../../gpumesh/v1/RaftMessage.ts';
import type { RaftHello as _gpumesh_v1_RaftHello, RaftHello__Output as _gpumesh_v1_RaftHello__Output } from '../../gpumesh/v1/RaftHello.ts';
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
  'hello'?: (_gpumesh_v1_RaftHello | null);
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
  'hello': (_gpumesh_v1_RaftHello__Output | null);
}
