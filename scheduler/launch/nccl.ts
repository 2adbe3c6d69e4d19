import type { Part } from "../model/job.ts";

/**
 * Makes NCCL, Gloo and TensorPipe use the interface that carries this node's advertised address, the one over which
 * the mesh already reaches it. Left to themselves they take any interface that is up, and may hang on one that leads
 * nowhere. NCCL's `=` asks for the exact name; the others know exact names only.
 */
export function ncclEnvironment(part: Part): Readonly<Record<string, string>> {
  const { network } = part;
  if (network === null) return {};
  return {
    NCCL_SOCKET_IFNAME: `=${network.name}`,
    NCCL_SOCKET_FAMILY: network.address.includes(":") ? "AF_INET6" : "AF_INET",
    GLOO_SOCKET_IFNAME: network.name,
    TP_SOCKET_IFNAME: network.name,
  };
}
