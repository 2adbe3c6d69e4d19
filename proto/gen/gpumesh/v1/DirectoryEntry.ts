// Original file: proto/gpumesh/v1/mesh.proto

import type { Long } from '@grpc/proto-loader';

export interface DirectoryEntry {
  'name'?: (string);
  'number'?: (number | string | Long);
  /**
   * Empty until the node has registered.
   */
  'address'?: (string);
  /**
   * voter, learner or client.
   */
  'raftRole'?: (string);
}

export interface DirectoryEntry__Output {
  'name': (string);
  'number': (number);
  /**
   * Empty until the node has registered.
   */
  'address': (string);
  /**
   * voter, learner or client.
   */
  'raftRole': (string);
}
