// Original file: proto/gpumesh/v1/api.proto


export interface NodeWait {
  'node'?: (string);
  'fits'?: (boolean);
  'reason'?: (string);
}

export interface NodeWait__Output {
  'node': (string);
  'fits': (boolean);
  'reason': (string);
}
