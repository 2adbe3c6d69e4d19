// Original file: proto/gpumesh/v1/api.proto


export interface SetVoteReply {
}

export interface SetVoteReply__Output {
}
