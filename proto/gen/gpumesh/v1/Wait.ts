// Original file: proto/gpumesh/v1/api.proto

import type { NodeWait as _gpumesh_v1_NodeWait, NodeWait__Output as _gpumesh_v1_NodeWait__Output } from '../../gpumesh/v1/NodeWait.ts';

/**
 * Why a job waits, with numbers.
 */
export interface Wait {
  'summary'?: (string);
  /**
   * Nodes that the gang needs, and nodes that could take a part of it now.
   */
  'nodesNeeded'?: (number);
  'nodesAvailable'?: (number);
  'nodes'?: (_gpumesh_v1_NodeWait)[];
}

/**
 * Why a job waits, with numbers.
 */
export interface Wait__Output {
  'summary': (string);
  /**
   * Nodes that the gang needs, and nodes that could take a part of it now.
   */
  'nodesNeeded': (number);
  'nodesAvailable': (number);
  'nodes': (_gpumesh_v1_NodeWait__Output)[];
}
