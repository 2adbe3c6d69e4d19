// Original file: proto/gpumesh/v1/api.proto


export interface ListVotersRequest {
}

export interface ListVotersRequest__Output {
}
