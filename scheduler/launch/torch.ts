import { rankCount, ranksOfPart } from "../model/ranks.ts";
import { hostAndPort, hostOf, partAt } from "./gang.ts";
import type { LaunchInput } from "./launch-input.ts";

/** Where the ranks meet: an address, not a name, for names of other nodes often do not resolve. */
export function rendezvousEnvironment(input: LaunchInput): Readonly<Record<string, string>> {
  const head = hostOf(partAt(input.attempt, 0));
  return { MASTER_ADDR: head, MASTER_PORT: String(input.attempt.launch.rendezvousPort) };
}

/** Batch AI's names for the rendezvous of a PyTorch job; empty for others. */
export function batchAiTorchEnvironment(input: LaunchInput): Readonly<Record<string, string>> {
  const { toolkit } = input.spec;
  if (toolkit.kind !== "pyTorch") return {};
  const head = hostOf(partAt(input.attempt, 0));
  const initMethod = `tcp://${hostAndPort(head, input.attempt.launch.rendezvousPort)}`;
  return {
    GPUMESH_PYTORCH_INIT_METHOD: initMethod,
    AZ_BATCHAI_PYTORCH_INIT_METHOD: initMethod,
    GPUMESH_PYTORCH_BACKEND: toolkit.backend,
    AZ_BATCHAI_PYTORCH_BACKEND: toolkit.backend,
  };
}

/**
 * One rank's place in the group: torch.distributed's `env://` variables and torchrun's own (`PET_*`). Every rank sees
 * all GPUs of its part; LOCAL_RANK says which is its own.
 */
export function rankEnvironment(input: LaunchInput, rank: number): Readonly<Record<string, string>> {
  const { spec, partIndex } = input;
  const { first, count } = ranksOfPart(spec, partIndex);
  const nodesWithRanks = Math.min(spec.nodeCount, rankCount(spec));
  const rendezvous = rendezvousEnvironment(input);
  return {
    RANK: String(rank),
    WORLD_SIZE: String(rankCount(spec)),
    LOCAL_RANK: String(rank - first),
    LOCAL_WORLD_SIZE: String(count),
    GROUP_RANK: String(partIndex),
    NODE_RANK: String(partIndex),
    PET_NNODES: String(nodesWithRanks),
    PET_NPROC_PER_NODE: String(count),
    PET_NODE_RANK: String(partIndex),
    PET_MASTER_ADDR: rendezvous["MASTER_ADDR"] ?? "",
    PET_MASTER_PORT: rendezvous["MASTER_PORT"] ?? "",
    GPUMESH_TASK_INDEX: String(rank),
    AZ_BATCHAI_TASK_INDEX: String(rank),
  };
}
