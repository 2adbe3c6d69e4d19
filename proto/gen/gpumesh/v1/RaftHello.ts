// Original file: proto/gpumesh/v1/mesh.proto

import type { RaftOpening as _gpumesh_v1_RaftOpening, RaftOpening__Output as _gpumesh_v1_RaftOpening__Output } from '../../gpumesh/v1/RaftOpening.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * Who sends, and from which store: what its peers can hold against what they remember.
 */
export interface RaftHello {
  'meshId'?: (string);
  'member'?: (number | string | Long);
  /**
   * 32 hexadecimal digits, made with the store.
   */
  'storeId'?: (string);
  /**
   * How often the store was opened.
   */
  'incarnation'?: (number | string | Long);
  /**
   * The newest ones, the present one last.
   */
  'openings'?: (_gpumesh_v1_RaftOpening)[];
  /**
   * How often the mesh was brought back after the loss of a majority.
   */
  'recoveryEpoch'?: (number | string | Long);
  /**
   * The end of the synced log, and the term.
   */
  'lastIndex'?: (number | string | Long);
  'term'?: (number | string | Long);
}

/**
 * Who sends, and from which store: what its peers can hold against what they remember.
 */
export interface RaftHello__Output {
  'meshId': (string);
  'member': (number);
  /**
   * 32 hexadecimal digits, made with the store.
   */
  'storeId': (string);
  /**
   * How often the store was opened.
   */
  'incarnation': (number);
  /**
   * The newest ones, the present one last.
   */
  'openings': (_gpumesh_v1_RaftOpening__Output)[];
  /**
   * How often the mesh was brought back after the loss of a majority.
   */
  'recoveryEpoch': (number);
  /**
   * The end of the synced log, and the term.
   */
  'lastIndex': (number);
  'term': (number);
}
