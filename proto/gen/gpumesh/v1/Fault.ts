// Original file: proto/gpumesh/v1/api.proto


/**
 * One thing wrong with a job file.
 */
export interface Fault {
  /**
   * E.g. `properties.customMpiSettings.processCount`.
   */
  'path'?: (string);
  'found'?: (string);
  'allowed'?: (string);
}

/**
 * One thing wrong with a job file.
 */
export interface Fault__Output {
  /**
   * E.g. `properties.customMpiSettings.processCount`.
   */
  'path': (string);
  'found': (string);
  'allowed': (string);
}
