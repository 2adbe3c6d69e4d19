// Original file: proto/gpumesh/v1/mesh.proto


export interface SnapshotReceipt {
}

export interface SnapshotReceipt__Output {
}
