// Original file: proto/gpumesh/v1/mesh.proto

import type { Directory as _gpumesh_v1_Directory, Directory__Output as _gpumesh_v1_Directory__Output } from '../../gpumesh/v1/Directory.ts';

export interface JoinReply {
  'meshId'?: (string);
  'certificate'?: (string);
  'clientCertificate'?: (string);
  'directory'?: (_gpumesh_v1_Directory | null);
}

export interface JoinReply__Output {
  'meshId': (string);
  'certificate': (string);
  'clientCertificate': (string);
  'directory': (_gpumesh_v1_Directory__Output | null);
}
