// Original file: proto/gpumesh/v1/mesh.proto

import type { DirectoryEntry as _gpumesh_v1_DirectoryEntry, DirectoryEntry__Output as _gpumesh_v1_DirectoryEntry__Output } from '../../gpumesh/v1/DirectoryEntry.ts';

/**
 * Who is in the mesh, sent at the start of a session and on every change.
 */
export interface Directory {
  'meshId'?: (string);
  'nodes'?: (_gpumesh_v1_DirectoryEntry)[];
}

/**
 * Who is in the mesh, sent at the start of a session and on every change.
 */
export interface Directory__Output {
  'meshId': (string);
  'nodes': (_gpumesh_v1_DirectoryEntry__Output)[];
}
