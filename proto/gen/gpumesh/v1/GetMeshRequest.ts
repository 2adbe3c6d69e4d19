// Original file: proto/gpumesh/v1/api.proto


export interface GetMeshRequest {
}

export interface GetMeshRequest__Output {
}
