import type { JobSpec } from "../../model/job.ts";
import { healthyGpus } from "../../state/capacity.ts";
import type { Allocation, StateView } from "../../state/state.ts";
import type { DraftNode } from "../draft.ts";
import type { Filter } from "../filter.ts";

/** Holders named in one explanation; the rest are counted. */
const holdersListedMax = 3;

/** The node has free what the job asks of one node: its share, or all of the node. */
export const shape: Filter = {
  name: "shape",
  check: (node, { shape: wanted }) => {
    if (wanted.kind === "wholeNode") {
      return node.holders.length === 0 && node.freeGpus.length >= wanted.gpusAtLeast;
    }
    if (node.holders.some((holder) => holder.wholeNode)) return false;
    return node.freeGpus.length >= wanted.gpus && node.freeSlots >= wanted.slots;
  },
  explain: (node, spec, view) => lacks(node, spec, view).join("; "),
};

function lacks(node: DraftNode, { shape: wanted }: JobSpec, view: StateView): string[] {
  const whole = node.holders.filter((holder) => holder.wholeNode);
  if (whole.length > 0) return [`the whole node is held by ${holders(whole, view)}`];

  if (wanted.kind === "wholeNode") {
    const reasons = gpuLack(node, wanted.gpusAtLeast, view);
    if (reasons.length === 0)
      reasons.push(`not all of it is free, a part is held by ${holders(node.holders, view)}`);
    return reasons;
  }
  const reasons = gpuLack(node, wanted.gpus, view);
  if (node.freeSlots < wanted.slots) reasons.push(slotLack(node, view));
  return reasons;
}

/** Too few GPUs are in it, or healthy, or free: the first that is so. */
function gpuLack(node: DraftNode, wanted: number, view: StateView): string[] {
  if (node.freeGpus.length >= wanted) return [];
  const all = node.record.facts?.inventory.gpus.length ?? 0;
  if (all < wanted) return [all === 0 ? "has no GPU" : `has ${all} ${gpus(all)}`];
  const healthy = healthyGpus(node.record).length;
  if (healthy < wanted) return [`${all - healthy} of ${all} ${gpus(all)} ${are(all - healthy)} not healthy`];
  const held = healthy - node.freeGpus.length;
  const by = holders(
    node.holders.filter((holder) => holder.gpus.length > 0),
    view,
  );
  return [`${held} of ${healthy} ${gpus(healthy)} ${are(held)} held by ${by}`];
}

function slotLack(node: DraftNode, view: StateView): string {
  const all = node.record.facts?.inventory.slots ?? 0;
  const held = all - node.freeSlots;
  if (held === 0) return `has ${all} CPU slots`;
  const by = holders(
    node.holders.filter((holder) => holder.slots > 0),
    view,
  );
  return `${held} of ${all} CPU slots ${are(held)} held by ${by}`;
}

function holders(allocations: readonly Allocation[], view: StateView): string {
  const names = allocations
    .slice(0, holdersListedMax)
    .map(({ job }) => `job ${job} (${view.jobs.get(job)?.spec.priority ?? "unknown"})`);
  const more = allocations.length - names.length;
  return more > 0 ? `${names.join(", ")} and ${more} more` : names.join(", ");
}

function gpus(count: number): string {
  return count === 1 ? "GPU" : "GPUs";
}

function are(count: number): string {
  return count === 1 ? "is" : "are";
}
