// Original file: proto/gpumesh/v1/api.proto


export interface ConfigureMeshReply {
}

export interface ConfigureMeshReply__Output {
}
