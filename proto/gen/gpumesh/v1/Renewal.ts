// Original file: proto/gpumesh/v1/mesh.proto

import type { Long } from '@grpc/proto-loader';

/**
 * "I live": sent every renewal interval, numbered from 1 in each stream.
 */
export interface Renewal {
  'sequence'?: (number | string | Long);
}

/**
 * "I live": sent every renewal interval, numbered from 1 in each stream.
 */
export interface Renewal__Output {
  'sequence': (number);
}
