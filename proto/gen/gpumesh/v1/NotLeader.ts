// Original file: proto/gpumesh/v1/mesh.proto


/**
 * The stream ends after it. The address is empty when no leader is known.
 */
export interface NotLeader {
  'leader'?: (string);
  'address'?: (string);
}

/**
 * The stream ends after it. The address is empty when no leader is known.
 */
export interface NotLeader__Output {
  'leader': (string);
  'address': (string);
}
