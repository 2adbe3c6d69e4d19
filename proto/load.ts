import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { fileURLToPath } from "node:url";
import type { ProtoGrpcType as ApiTypes } from "./gen/api.ts";
import type { ProtoGrpcType as MeshTypes } from "./gen/mesh.ts";

/** The loader's options; `npm run generate` must name the same ones, since the generated types describe them. */
const LOAD_OPTIONS = { longs: Number, enums: String, defaults: true, oneofs: true } as const;

function load(file: string): grpc.GrpcObject {
  const path = fileURLToPath(new URL(`./gpumesh/v1/${file}`, import.meta.url));
  return grpc.loadPackageDefinition(loadSync(path, LOAD_OPTIONS));
}

/** The users' services. */
export function loadApi(): ApiTypes["gpumesh"]["v1"] {
  return (load("api.proto") as unknown as ApiTypes).gpumesh.v1;
}

/** The services between daemons. */
export function loadMesh(): MeshTypes["gpumesh"]["v1"] {
  return (load("mesh.proto") as unknown as MeshTypes).gpumesh.v1;
}
