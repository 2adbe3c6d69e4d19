// Original file: proto/gpumesh/v1/api.proto

import type { Long } from '@grpc/proto-loader';

export interface TransferLeaderRequest {
  /**
   * The voter that is to lead; empty: whichever has most of the log.
   */
  'node'?: (string);
  /**
   * The term of the leader that is to go. When a newer one has begun, the lead was handed over already.
   */
  'term'?: (number | string | Long);
}

export interface TransferLeaderRequest__Output {
  /**
   * The voter that is to lead; empty: whichever has most of the log.
   */
  'node': (string);
  /**
   * The term of the leader that is to go. When a newer one has begun, the lead was handed over already.
   */
  'term': (number);
}
