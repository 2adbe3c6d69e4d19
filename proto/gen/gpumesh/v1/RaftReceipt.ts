// Original file: proto/gpumesh/v1/mesh.proto

import type { RaftHello as _gpumesh_v1_RaftHello, RaftHello__Output as _gpumesh_v1_RaftHello__Output } from '../../gpumesh/v1/RaftHello.ts';

/**
 * Comes once, when the caller is let in: who it is that receives, so that the caller can judge that one too. A member that
 * forgot what it held would take what it is sent for a defect.
 */
export interface RaftReceipt {
  'hello'?: (_gpumesh_v1_RaftHello | null);
}

/**
 * Comes once, when the caller is let in: who it is that receives, so that the caller can judge that one too. A member that
 * forgot what it held would take what it is sent for a defect.
 */
export interface RaftReceipt__Output {
  'hello': (_gpumesh_v1_RaftHello__Output | null);
}
