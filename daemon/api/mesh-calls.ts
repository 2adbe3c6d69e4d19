import { status } from "@grpc/grpc-js";
import type { CreateJoinTokenReply } from "../../proto/gen/gpumesh/v1/CreateJoinTokenReply.ts";
import type { CreateJoinTokenRequest__Output } from "../../proto/gen/gpumesh/v1/CreateJoinTokenRequest.ts";
import type { GetMeshRequest__Output } from "../../proto/gen/gpumesh/v1/GetMeshRequest.ts";
import type { ListNodesReply } from "../../proto/gen/gpumesh/v1/ListNodesReply.ts";
import type { ListNodesRequest__Output } from "../../proto/gen/gpumesh/v1/ListNodesRequest.ts";
import type { Mesh } from "../../proto/gen/gpumesh/v1/Mesh.ts";
import type { ApiContext } from "./api-context.ts";
import { freshStore, resultOf, storeOf } from "./api-context.ts";
import { CallError } from "./call-error.ts";
import type { Consensus } from "./present-mesh.ts";
import { presentMesh, presentNode } from "./present-mesh.ts";

const TOKEN_VALID_DEFAULT_MS = 3_600_000;
const TOKEN_VALID_MAX_MS = 7 * 24 * 3_600_000;

export async function listNodes(
  context: ApiContext,
  _request: ListNodesRequest__Output,
): Promise<ListNodesReply> {
  const view = (await freshStore(context)).view();
  const consensus = consensusOf(context);
  const nodes = [...view.nodes.values()].toSorted((a, b) => a.number - b.number);
  return { nodes: nodes.map((node) => presentNode(view, node, consensus)) };
}

export async function getMesh(context: ApiContext, _request: GetMeshRequest__Output): Promise<Mesh> {
  const view = (await freshStore(context)).view();
  return presentMesh(view, consensusOf(context), context.version);
}

export async function createJoinToken(
  context: ApiContext,
  request: CreateJoinTokenRequest__Output,
): Promise<CreateJoinTokenReply> {
  const validMs = request.validMs === 0 ? TOKEN_VALID_DEFAULT_MS : request.validMs;
  if (validMs < 0 || validMs > TOKEN_VALID_MAX_MS)
    throw new CallError(
      status.INVALID_ARGUMENT,
      `valid_ms is ${validMs}; it must be 0 to ${TOKEN_VALID_MAX_MS} (7 days)`,
    );
  const { id, secretHash, token } = context.newJoinToken();
  const at = context.now();
  const expiresAt = at + validMs;
  const command = { kind: "addJoinToken", at, id, secretHash, expiresAt } as const;
  await resultOf(storeOf(context).propose(command));
  return { token, expiresAtMs: expiresAt };
}

function consensusOf(context: ApiContext): Consensus {
  const { leader, term } = storeOf(context).leadership();
  const members = context.directory.members();
  return { leader: members.find((member) => member.number === leader)?.name ?? "", term, members };
}
