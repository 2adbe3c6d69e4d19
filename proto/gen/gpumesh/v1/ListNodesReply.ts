// Original file: proto/gpumesh/v1/api.proto

import type { Node as _gpumesh_v1_Node, Node__Output as _gpumesh_v1_Node__Output } from '../../gpumesh/v1/Node.ts';

export interface ListNodesReply {
  'nodes'?: (_gpumesh_v1_Node)[];
}

export interface ListNodesReply__Output {
  'nodes': (_gpumesh_v1_Node__Output)[];
}
