// Original file: proto/gpumesh/v1/api.proto


export interface ListNodesRequest {
}

export interface ListNodesRequest__Output {
}
