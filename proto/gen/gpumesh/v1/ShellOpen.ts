// Original file: proto/gpumesh/v1/mesh.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Safe to repeat: the same id attaches to the running command, from the given offsets.
 */
export interface ShellOpen {
  'jobId'?: (number | string | Long);
  'attempt'?: (number);
  /**
   * The attempt's token.
   */
  'token'?: (string);
  /**
   * Chosen by the caller, unique in the attempt.
   */
  'id'?: (string);
  /**
   * Run by `/bin/sh -c`, as sshd would.
   */
  'commandLine'?: (string);
  'stdoutOffset'?: (number | string | Long);
  'stderrOffset'?: (number | string | Long);
}

/**
 * Safe to repeat: the same id attaches to the running command, from the given offsets.
 */
export interface ShellOpen__Output {
  'jobId': (number);
  'attempt': (number);
  /**
   * The attempt's token.
   */
  'token': (string);
  /**
   * Chosen by the caller, unique in the attempt.
   */
  'id': (string);
  /**
   * Run by `/bin/sh -c`, as sshd would.
   */
  'commandLine': (string);
  'stdoutOffset': (number);
  'stderrOffset': (number);
}
