// Original file: proto/gpumesh/v1/mesh.proto

import type { ShellExit as _gpumesh_v1_ShellExit, ShellExit__Output as _gpumesh_v1_ShellExit__Output } from '../../gpumesh/v1/ShellExit.ts';

export interface ShellOutput {
  'stdout'?: (Buffer | Uint8Array | string);
  'stderr'?: (Buffer | Uint8Array | string);
  'exit'?: (_gpumesh_v1_ShellExit | null);
  'message'?: "stdout"|"stderr"|"exit";
}

export interface ShellOutput__Output {
  'stdout'?: (Buffer);
  'stderr'?: (Buffer);
  'exit'?: (_gpumesh_v1_ShellExit__Output | null);
  'message'?: "stdout"|"stderr"|"exit";
}
