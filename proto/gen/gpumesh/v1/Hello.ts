// Original file: proto/gpumesh/v1/mesh.proto

import type { PartStatus as _gpumesh_v1_PartStatus, PartStatus__Output as _gpumesh_v1_PartStatus__Output } from '../../gpumesh/v1/PartStatus.ts';

/**
 * First message of a session, once.
 */
export interface Hello {
  /**
   * NodeFacts.
   */
  'factsJson'?: (string);
  /**
   * Every part in the daemon's ledger, so that the leader sees what really is there.
   */
  'parts'?: (_gpumesh_v1_PartStatus)[];
}

/**
 * First message of a session, once.
 */
export interface Hello__Output {
  /**
   * NodeFacts.
   */
  'factsJson': (string);
  /**
   * Every part in the daemon's ledger, so that the leader sees what really is there.
   */
  'parts': (_gpumesh_v1_PartStatus__Output)[];
}
