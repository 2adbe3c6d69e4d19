import type { Fault } from "../model/fault.ts";
import type { JobSpec } from "../model/job.ts";
import { emptyNode, type DraftNode } from "../placement/draft.ts";
import { shape } from "../placement/filters/shape.ts";
import type { StateView } from "../state/state.ts";
import { count, describeShape } from "./demand.ts";

/** Pools named in one fault; the rest are left out. */
const poolsListedMax = 10;

/**
 * Whether the nodes that the mesh knows could ever run the job, were nothing else running: no faults if so, else every
 * limit that it breaks, each path named within `JobSpec`. Counts all nodes of the pool that have registered once, lost
 * ones too since they may come back, and their unhealthy GPUs since they may heal.
 */
export function feasibility(view: StateView, spec: JobSpec): Fault[] {
  const registered = [...view.nodes.values()].filter((node) => node.facts !== null).map(emptyNode);
  const nodes = registered.filter((node) => node.record.facts?.pool === spec.pool);
  if (nodes.length === 0) return [noPool(spec, registered)];

  const capable = nodes.filter((node) => shape.check(node, spec));
  if (capable.length === 0) return [...countFaults(nodes.length, spec, ""), ...shapeFaults(nodes, spec)];
  const each = describeShape(spec);
  return countFaults(capable.length, spec, each === "" ? "" : ` with ${each}`);
}

/** `has` says which nodes of the pool were counted. */
function countFaults(nodes: number, { nodeCount, pool }: JobSpec, has: string): Fault[] {
  if (nodeCount <= nodes) return [];
  const allowed = `at most ${nodes}: pool ${pool} has ${count(nodes, "node")}${has}`;
  return [{ path: "nodeCount", found: String(nodeCount), allowed }];
}

function noPool(spec: JobSpec, registered: readonly DraftNode[]): Fault {
  const pools = [...new Set(registered.map((node) => node.record.facts?.pool ?? ""))].toSorted();
  const allowed =
    pools.length === 0
      ? "no pool yet: the mesh has no node that has registered"
      : `${pools.slice(0, poolsListedMax).join(", ")}: pool ${spec.pool} has no node yet`;
  return { path: "pool", found: spec.pool, allowed };
}

/** No node is large enough: names each limit that alone is broken, or the pair where only both together are. */
function shapeFaults(nodes: readonly DraftNode[], { shape: wanted, pool }: JobSpec): Fault[] {
  const limit = (amount: (node: DraftNode) => number, word: string, path: string, found: number): Fault[] => {
    const largest = nodes.reduce((best, node) => (amount(node) > amount(best) ? node : best));
    const most = amount(largest);
    if (found <= most) return [];
    const has = `no node of pool ${pool} has more, ${largest.record.id} has ${count(most, word)}`;
    return [{ path, found: String(found), allowed: `at most ${most}: ${has}` }];
  };
  if (wanted.kind === "wholeNode") return limit(gpusOf, "GPU", "shape.gpusAtLeast", wanted.gpusAtLeast);

  const faults = [
    ...limit(gpusOf, "GPU", "shape.gpus", wanted.gpus),
    ...limit(slotsOf, "CPU slot", "shape.slots", wanted.slots),
  ];
  if (faults.length > 0) return faults;
  const slots = Math.max(...nodes.filter((node) => gpusOf(node) >= wanted.gpus).map(slotsOf));
  const allowed = `at most ${slots}: no node of pool ${pool} with ${count(wanted.gpus, "GPU")} has more`;
  return [{ path: "shape.slots", found: String(wanted.slots), allowed }];
}

function gpusOf(node: DraftNode): number {
  return node.freeGpus.length;
}

function slotsOf(node: DraftNode): number {
  return node.freeSlots;
}
