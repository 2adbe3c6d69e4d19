// Original file: proto/gpumesh/v1/mesh.proto

import type { RaftMessage as _gpumesh_v1_RaftMessage, RaftMessage__Output as _gpumesh_v1_RaftMessage__Output } from '../../gpumesh/v1/RaftMessage.ts';
import type { RaftHello as _gpumesh_v1_RaftHello, RaftHello__Output as _gpumesh_v1_RaftHello__Output } from '../../gpumesh/v1/RaftHello.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * The first one of a stream has the hello and nothing else. The caller waits for the answer to it before it sends more.
 */
export interface RaftBatch {
  'messages'?: (_gpumesh_v1_RaftMessage)[];
  'hello'?: (_gpumesh_v1_RaftHello | null);
  /**
   * The newest synced batch of the sender's store: all that the messages promise is in it, or in those before.
   */
  'syncedBatch'?: (number | string | Long);
}

/**
 * The first one of a stream has the hello and nothing else. The caller waits for the answer to it before it sends more.
 */
export interface RaftBatch__Output {
  'messages': (_gpumesh_v1_RaftMessage__Output)[];
  'hello': (_gpumesh_v1_RaftHello__Output | null);
  /**
   * The newest synced batch of the sender's store: all that the messages promise is in it, or in those before.
   */
  'syncedBatch': (number);
}
