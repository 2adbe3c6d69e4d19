// Original file: proto/gpumesh/v1/mesh.proto


export interface ShellExit {
  'code'?: (number);
  'reason'?: (string);
}

export interface ShellExit__Output {
  'code': (number);
  'reason': (string);
}
