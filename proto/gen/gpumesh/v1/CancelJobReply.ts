// Original file: proto/gpumesh/v1/api.proto


export interface CancelJobReply {
}

export interface CancelJobReply__Output {
}
