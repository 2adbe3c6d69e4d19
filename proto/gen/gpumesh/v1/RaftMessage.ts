// Original file: proto/gpumesh/v1/mesh.proto

import type { RaftEntry as _gpumesh_v1_RaftEntry, RaftEntry__Output as _gpumesh_v1_RaftEntry__Output } from '../../gpumesh/v1/RaftEntry.ts';
import type { RaftSnapshot as _gpumesh_v1_RaftSnapshot, RaftSnapshot__Output as _gpumesh_v1_RaftSnapshot__Output } from '../../gpumesh/v1/RaftSnapshot.ts';
import type { Long } from '@grpc/proto-loader';

export interface RaftMessage {
  /**
   * As etcd names it, e.g. MsgApp.
   */
  'type'?: (string);
  'to'?: (number | string | Long);
  'from'?: (number | string | Long);
  'term'?: (number | string | Long);
  'logTerm'?: (number | string | Long);
  'index'?: (number | string | Long);
  'entries'?: (_gpumesh_v1_RaftEntry)[];
  'commit'?: (number | string | Long);
  'vote'?: (number | string | Long);
  'snapshot'?: (_gpumesh_v1_RaftSnapshot | null);
  'reject'?: (boolean);
  'rejectHint'?: (number | string | Long);
  'context'?: (Buffer | Uint8Array | string);
}

export interface RaftMessage__Output {
  /**
   * As etcd names it, e.g. MsgApp.
   */
  'type': (string);
  'to': (number);
  'from': (number);
  'term': (number);
  'logTerm': (number);
  'index': (number);
  'entries': (_gpumesh_v1_RaftEntry__Output)[];
  'commit': (number);
  'vote': (number);
  'snapshot': (_gpumesh_v1_RaftSnapshot__Output | null);
  'reject': (boolean);
  'rejectHint': (number);
  'context': (Buffer);
}
