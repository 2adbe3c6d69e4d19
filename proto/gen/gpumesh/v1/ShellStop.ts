// Original file: proto/gpumesh/v1/mesh.proto


export interface ShellStop {
}

export interface ShellStop__Output {
}
