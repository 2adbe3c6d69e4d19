// Original file: proto/gpumesh/v1/api.proto


export interface TransferLeaderReply {
  'leader'?: (string);
}

export interface TransferLeaderReply__Output {
  'leader': (string);
}
