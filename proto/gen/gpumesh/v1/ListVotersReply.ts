// Original file: proto/gpumesh/v1/api.proto

import type { Voter as _gpumesh_v1_Voter, Voter__Output as _gpumesh_v1_Voter__Output } from '../../gpumesh/v1/Voter.ts';
import type { Long } from '@grpc/proto-loader';

export interface ListVotersReply {
  /**
   * By number.
   */
  'members'?: (_gpumesh_v1_Voter)[];
  /**
   * The nodes that should vote.
   */
  'wanted'?: (string)[];
  /**
   * What is done or waited for until they do; empty when they vote.
   */
  'doing'?: (string);
  /**
   * Index of the last entry in the leader's log.
   */
  'lastIndex'?: (number | string | Long);
  'term'?: (number | string | Long);
  /**
   * A voter that has been lost for so long is replaced.
   */
  'voterReplaceAfterMs'?: (number | string | Long);
  /**
   * How often a majority was lost for good and the mesh was recovered; when it was last (0: never).
   */
  'recoveryEpoch'?: (number);
  'recoveredAtMs'?: (number | string | Long);
  /**
   * The members without which it was recovered. They are never let in again.
   */
  'leftBehind'?: (string)[];
}

export interface ListVotersReply__Output {
  /**
   * By number.
   */
  'members': (_gpumesh_v1_Voter__Output)[];
  /**
   * The nodes that should vote.
   */
  'wanted': (string)[];
  /**
   * What is done or waited for until they do; empty when they vote.
   */
  'doing': (string);
  /**
   * Index of the last entry in the leader's log.
   */
  'lastIndex': (number);
  'term': (number);
  /**
   * A voter that has been lost for so long is replaced.
   */
  'voterReplaceAfterMs': (number);
  /**
   * How often a majority was lost for good and the mesh was recovered; when it was last (0: never).
   */
  'recoveryEpoch': (number);
  'recoveredAtMs': (number);
  /**
   * The members without which it was recovered. They are never let in again.
   */
  'leftBehind': (string)[];
}
