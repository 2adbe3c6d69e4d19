// Original file: proto/gpumesh/v1/mesh.proto

import type { Long } from '@grpc/proto-loader';

export interface Welcome {
  'session'?: (number | string | Long);
  'term'?: (number | string | Long);
  /**
   * A rank may run this long after the send of the newest accepted renewal.
   */
  'leaseMs'?: (number | string | Long);
}

export interface Welcome__Output {
  'session': (number);
  'term': (number);
  /**
   * A rank may run this long after the send of the newest accepted renewal.
   */
  'leaseMs': (number);
}
