// Original file: proto/gpumesh/v1/api.proto

import type { Wait as _gpumesh_v1_Wait, Wait__Output as _gpumesh_v1_Wait__Output } from '../../gpumesh/v1/Wait.ts';
import type { Attempt as _gpumesh_v1_Attempt, Attempt__Output as _gpumesh_v1_Attempt__Output } from '../../gpumesh/v1/Attempt.ts';
import type { Long } from '@grpc/proto-loader';

export interface Job {
  'id'?: (number | string | Long);
  'name'?: (string);
  'workspace'?: (string);
  'experiment'?: (string);
  'pool'?: (string);
  /**
   * low, normal or high.
   */
  'priority'?: (string);
  'nodeCount'?: (number);
  /**
   * queued, starting, running, terminating, succeeded, failed or cancelled.
   */
  'state'?: (string);
  'submittedAtMs'?: (number | string | Long);
  'submittedBy'?: (string);
  /**
   * Start of the newest attempt that ran.
   */
  'startedAtMs'?: (number | string | Long);
  'endedAtMs'?: (number | string | Long);
  /**
   * Meaningful once the state is succeeded or failed.
   */
  'exitCode'?: (number);
  /**
   * Why it is in this state, in one line: what it waits for, or what ended it.
   */
  'reason'?: (string);
  /**
   * Set while queued.
   */
  'wait'?: (_gpumesh_v1_Wait | null);
  /**
   * Newest last. The active attempt, if any, is the last.
   */
  'attempts'?: (_gpumesh_v1_Attempt)[];
  /**
   * The job as the scheduler has it, every default filled in: a JSON document.
   */
  'specJson'?: (string);
  /**
   * The toolkit block's name, e.g. customMpi.
   */
  'toolkit'?: (string);
}

export interface Job__Output {
  'id': (number);
  'name': (string);
  'workspace': (string);
  'experiment': (string);
  'pool': (string);
  /**
   * low, normal or high.
   */
  'priority': (string);
  'nodeCount': (number);
  /**
   * queued, starting, running, terminating, succeeded, failed or cancelled.
   */
  'state': (string);
  'submittedAtMs': (number);
  'submittedBy': (string);
  /**
   * Start of the newest attempt that ran.
   */
  'startedAtMs': (number);
  'endedAtMs': (number);
  /**
   * Meaningful once the state is succeeded or failed.
   */
  'exitCode': (number);
  /**
   * Why it is in this state, in one line: what it waits for, or what ended it.
   */
  'reason': (string);
  /**
   * Set while queued.
   */
  'wait': (_gpumesh_v1_Wait__Output | null);
  /**
   * Newest last. The active attempt, if any, is the last.
   */
  'attempts': (_gpumesh_v1_Attempt__Output)[];
  /**
   * The job as the scheduler has it, every default filled in: a JSON document.
   */
  'specJson': (string);
  /**
   * The toolkit block's name, e.g. customMpi.
   */
  'toolkit': (string);
}
