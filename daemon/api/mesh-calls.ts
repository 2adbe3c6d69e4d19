import { status } from "@grpc/grpc-js";
import type { CreateJoinTokenReply } from "../../proto/gen/gpumesh/v1/CreateJoinTokenReply.ts";
import type { CreateJoinTokenRequest__Output } from "../../proto/gen/gpumesh/v1/CreateJoinTokenRequest.ts";
import type { GetMeshRequest__Output } from "../../proto/gen/gpumesh/v1/GetMeshRequest.ts";
import type { ListNodesReply } from "../../proto/gen/gpumesh/v1/ListNodesReply.ts";
import type { ListNodesRequest__Output } from "../../proto/gen/gpumesh/v1/ListNodesRequest.ts";
import type { Mesh } from "../../proto/gen/gpumesh/v1/Mesh.ts";
import type { ApiContext } from "./api-context.ts";
import { hashSecret, tokenOfRequest } from "../security/join-token.ts";
import { checkRequestId, freshStore, resultOf, storeOf } from "./api-context.ts";
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
  user: string,
): Promise<CreateJoinTokenReply> {
  const { requestId } = request;
  checkRequestId(requestId);
  const validMs = request.validMs === 0 ? TOKEN_VALID_DEFAULT_MS : request.validMs;
  if (validMs < 0 || validMs > TOKEN_VALID_MAX_MS)
    throw new CallError(
      status.INVALID_ARGUMENT,
      `valid_ms is ${validMs}; it must be 0 to ${TOKEN_VALID_MAX_MS} (7 days)`,
    );
  const store = storeOf(context);
  const key = store.view().mesh?.authority.privateKeyPem;
  if (key === undefined) throw new CallError(status.UNAVAILABLE, "the mesh is being made; try again shortly");
  const { id, secret } = tokenOfRequest(key, { user, requestId });
  const at = context.now();
  const expiresAt = at + validMs;
  const command = { kind: "addJoinToken", at, id, secretHash: hashSecret(secret), expiresAt } as const;
  await resultOf(store.propose(command));
  // An earlier try may have made it: then it is good as long as that one said.
  const made = store.view().tokens.get(id);
  return { token: context.joinToken({ id, secret }), expiresAtMs: made?.expiresAt ?? expiresAt };
}

function consensusOf(context: ApiContext): Consensus {
  const { leader, term } = storeOf(context).leadership();
  const members = context.directory.members();
  return { leader: members.find((member) => member.number === leader)?.name ?? "", term, members };
}
