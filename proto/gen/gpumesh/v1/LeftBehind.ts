// Original file: proto/gpumesh/v1/mesh.proto


/**
 * The mesh was recovered without this daemon, whose data folder belongs to the mesh before: it must not go on. The stream
 * ends after it.
 */
export interface LeftBehind {
  /**
   * One line for the daemon's operator.
   */
  'reason'?: (string);
}

/**
 * The mesh was recovered without this daemon, whose data folder belongs to the mesh before: it must not go on. The stream
 * ends after it.
 */
export interface LeftBehind__Output {
  /**
   * One line for the daemon's operator.
   */
  'reason': (string);
}
