// Original file: proto/gpumesh/v1/mesh.proto


export interface StateRecord {
  'key'?: (string);
  'value'?: (Buffer | Uint8Array | string);
}

export interface StateRecord__Output {
  'key': (string);
  'value': (Buffer);
}
