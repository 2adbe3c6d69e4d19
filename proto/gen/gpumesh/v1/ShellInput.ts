// Original file: proto/gpumesh/v1/mesh.proto

import type { ShellOpen as _gpumesh_v1_ShellOpen, ShellOpen__Output as _gpumesh_v1_ShellOpen__Output } from '../../gpumesh/v1/ShellOpen.ts';
import type { ShellStop as _gpumesh_v1_ShellStop, ShellStop__Output as _gpumesh_v1_ShellStop__Output } from '../../gpumesh/v1/ShellStop.ts';

export interface ShellInput {
  'open'?: (_gpumesh_v1_ShellOpen | null);
  /**
   * The caller is gone or was told to stop: end the command.
   */
  'stop'?: (_gpumesh_v1_ShellStop | null);
  'message'?: "open"|"stop";
}

export interface ShellInput__Output {
  'open'?: (_gpumesh_v1_ShellOpen__Output | null);
  /**
   * The caller is gone or was told to stop: end the command.
   */
  'stop'?: (_gpumesh_v1_ShellStop__Output | null);
  'message'?: "open"|"stop";
}
