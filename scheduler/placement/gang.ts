import type { PlannedPart } from "../model/command.ts";
import type { NodeId } from "../model/ids.ts";
import type { JobRecord, JobSpec } from "../model/job.ts";
import { demandOn } from "../state/capacity.ts";
import type { Draft, DraftNode } from "./draft.ts";
import type { Filter } from "./filter.ts";
import { firstObjection } from "./filters.ts";
import { rendezvousPort } from "./rendezvous-port.ts";
import { compareNodes } from "./scores.ts";

/** A node and the filter that keeps the job off it. */
export interface Objection {
  readonly node: NodeId;
  readonly filter: Filter;
}

export type Placement =
  | { readonly kind: "placed"; readonly parts: readonly PlannedPart[]; readonly rendezvousPort: number }
  /** `fits` nodes of the needed would take a part now. */
  | { readonly kind: "waits"; readonly fits: number; readonly reasons: readonly Objection[] };

/**
 * Places attempt number `attempt` of the job, the whole gang, on the draft, or nothing: one part on each of `nodeCount` nodes, the best by score. The parts
 * stand by node name, the first is the head.
 */
export function placeGang(draft: Draft, job: JobRecord, attempt = job.attempts + 1): Placement {
  const fitting: DraftNode[] = [];
  const reasons: Objection[] = [];
  for (const node of draft.nodes.values()) {
    const filter = firstObjection(node, job.spec);
    if (filter === null) fitting.push(node);
    else reasons.push({ node: node.record.id, filter });
  }
  if (fitting.length < job.spec.nodeCount) return { kind: "waits", fits: fitting.length, reasons };

  const chosen = fitting
    .toSorted(compareNodes)
    .slice(0, job.spec.nodeCount)
    .toSorted((a, b) => (a.record.id < b.record.id ? -1 : 1));
  const [head] = chosen;
  if (head === undefined) throw new Error(`job ${job.id} asks for no node`);

  const port = rendezvousPort(head, job.id, attempt);
  const parts = chosen.map((node) => partOn(node, job.spec));
  draft.take({ job: job.id, attempt, spec: job.spec, parts, rendezvousPort: port });
  return { kind: "placed", parts, rendezvousPort: port };
}

function partOn({ record, freeGpus }: DraftNode, { shape }: JobSpec): PlannedPart {
  const { gpus, slots } = demandOn(shape, record);
  return {
    node: record.id,
    session: record.session,
    placeable: record.placeable,
    gpus: freeGpus.slice(0, gpus).map((gpu) => gpu.uuid),
    slots,
  };
}
