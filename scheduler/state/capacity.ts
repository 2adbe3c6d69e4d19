import type { Gpu } from "../model/inventory.ts";
import type { NodeShape } from "../model/job.ts";
import type { NodeRecord } from "../model/node.ts";
import type { Allocation } from "./state.ts";

/** What is left of a node beside what it has already given. */
export interface FreeCapacity {
  /** Healthy and held by no attempt, by ascending index. */
  readonly gpus: readonly Gpu[];
  /** 0 where nothing is free, also after the operator lowered the slots below what is held. */
  readonly slots: number;
}

/**
 * The one rule of what is free, for planning and for the check at commit. A node that an attempt holds whole has
 * nothing to give, even if it has grown since.
 */
export function freeCapacity(node: NodeRecord, allocations: readonly Allocation[]): FreeCapacity {
  if (node.facts === null || allocations.some((allocation) => allocation.wholeNode))
    return { gpus: [], slots: 0 };
  const held = new Set(allocations.flatMap((allocation) => allocation.gpus));
  const slotsHeld = allocations.reduce((sum, allocation) => sum + allocation.slots, 0);
  return {
    gpus: healthyGpus(node).filter((gpu) => !held.has(gpu.uuid)),
    slots: Math.max(0, node.facts.inventory.slots - slotsHeld),
  };
}

/** The node's GPUs that are offered to jobs, by ascending index. */
export function healthyGpus(node: NodeRecord): readonly Gpu[] {
  const gpus = node.facts?.inventory.gpus ?? [];
  return gpus.filter((gpu) => gpu.healthy).toSorted((a, b) => a.index - b.index);
}

/** How many GPUs and slots a job of this shape takes of the node: all that are offered, or its share. */
export function demandOn(
  shape: NodeShape,
  node: NodeRecord,
): { readonly gpus: number; readonly slots: number } {
  return shape.kind === "share"
    ? { gpus: shape.gpus, slots: shape.slots }
    : { gpus: healthyGpus(node).length, slots: node.facts?.inventory.slots ?? 0 };
}
