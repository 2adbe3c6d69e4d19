// Original file: proto/gpumesh/v1/mesh.proto

import type { Hello as _gpumesh_v1_Hello, Hello__Output as _gpumesh_v1_Hello__Output } from '../../gpumesh/v1/Hello.ts';
import type { Renewal as _gpumesh_v1_Renewal, Renewal__Output as _gpumesh_v1_Renewal__Output } from '../../gpumesh/v1/Renewal.ts';
import type { PartStatus as _gpumesh_v1_PartStatus, PartStatus__Output as _gpumesh_v1_PartStatus__Output } from '../../gpumesh/v1/PartStatus.ts';

export interface FromAgent {
  'hello'?: (_gpumesh_v1_Hello | null);
  'renewal'?: (_gpumesh_v1_Renewal | null);
  'report'?: (_gpumesh_v1_PartStatus | null);
  'message'?: "hello"|"renewal"|"report";
}

export interface FromAgent__Output {
  'hello'?: (_gpumesh_v1_Hello__Output | null);
  'renewal'?: (_gpumesh_v1_Renewal__Output | null);
  'report'?: (_gpumesh_v1_PartStatus__Output | null);
  'message'?: "hello"|"renewal"|"report";
}
