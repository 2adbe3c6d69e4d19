// Original file: proto/gpumesh/v1/mesh.proto


export interface RaftReceipt {
}

export interface RaftReceipt__Output {
}
