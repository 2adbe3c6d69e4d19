// Original file: proto/gpumesh/v1/api.proto

import type { AttemptPart as _gpumesh_v1_AttemptPart, AttemptPart__Output as _gpumesh_v1_AttemptPart__Output } from '../../gpumesh/v1/AttemptPart.ts';
import type { Long } from '@grpc/proto-loader';

export interface Attempt {
  'number'?: (number);
  'placedAtMs'?: (number | string | Long);
  'startedAtMs'?: (number | string | Long);
  'endedAtMs'?: (number | string | Long);
  /**
   * Empty while active; else succeeded, failed, retried or cancelled.
   */
  'outcome'?: (string);
  'reason'?: (string);
  'parts'?: (_gpumesh_v1_AttemptPart)[];
}

export interface Attempt__Output {
  'number': (number);
  'placedAtMs': (number);
  'startedAtMs': (number);
  'endedAtMs': (number);
  /**
   * Empty while active; else succeeded, failed, retried or cancelled.
   */
  'outcome': (string);
  'reason': (string);
  'parts': (_gpumesh_v1_AttemptPart__Output)[];
}
