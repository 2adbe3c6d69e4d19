// Original file: proto/gpumesh/v1/api.proto

import type { Long } from '@grpc/proto-loader';

export interface Voter {
  'name'?: (string);
  'number'?: (number | string | Long);
  /**
   * voter or learner.
   */
  'role'?: (string);
  'leader'?: (boolean);
  /**
   * automatic, preferred or barred.
   */
  'wish'?: (string);
  'failureDomain'?: (string);
  'spot'?: (boolean);
  /**
   * As in Node.
   */
  'state'?: (string);
  /**
   * Its log is known to equal the leader's up to here.
   */
  'match'?: (number | string | Long);
  /**
   * Entries that it lacks.
   */
  'behind'?: (number | string | Long);
  /**
   * Since it was last heard of; -1: not since this daemon started.
   */
  'silentMs'?: (number | string | Long);
}

export interface Voter__Output {
  'name': (string);
  'number': (number);
  /**
   * voter or learner.
   */
  'role': (string);
  'leader': (boolean);
  /**
   * automatic, preferred or barred.
   */
  'wish': (string);
  'failureDomain': (string);
  'spot': (boolean);
  /**
   * As in Node.
   */
  'state': (string);
  /**
   * Its log is known to equal the leader's up to here.
   */
  'match': (number);
  /**
   * Entries that it lacks.
   */
  'behind': (number);
  /**
   * Since it was last heard of; -1: not since this daemon started.
   */
  'silentMs': (number);
}
