// Original file: proto/gpumesh/v1/api.proto


export interface AttemptPart {
  'node'?: (string);
  'gpus'?: (string)[];
  'slots'?: (number);
  /**
   * assigned, prepared, started, exited, stopped or lost; empty for a past attempt.
   */
  'progress'?: (string);
  /**
   * The commands that have logs here, e.g. `task-0`.
   */
  'commands'?: (string)[];
}

export interface AttemptPart__Output {
  'node': (string);
  'gpus': (string)[];
  'slots': (number);
  /**
   * assigned, prepared, started, exited, stopped or lost; empty for a past attempt.
   */
  'progress': (string);
  /**
   * The commands that have logs here, e.g. `task-0`.
   */
  'commands': (string)[];
}
