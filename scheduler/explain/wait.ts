import { DEFAULT_POOL, type JobId, type NodeId } from "../model/ids.ts";
import type { Attempt, JobRecord, JobSpec, PartProgress } from "../model/job.ts";
import { createDraft, type DraftNode } from "../placement/draft.ts";
import { firstObjection } from "../placement/filters.ts";
import { pool } from "../placement/filters/pool.ts";
import type { StateView } from "../state/state.ts";
import { count, describeDemand } from "./demand.ts";

/** Nodes listed in one explanation; the rest are counted. */
export const nodesListedMax = 20;

/** Why a job does not run. `summary` is one line for people; the rest is what it was made of. */
export type WaitReason =
  /** Queued. The job is placed once `available` is at least `needed.nodes`. */
  | {
      readonly kind: "resources";
      readonly summary: string;
      readonly needed: Demand;
      /** Nodes that would take a part of the job now. */
      readonly available: number;
      /** At most `nodesListedMax`: those of the job's pool first, and of these the ones that do not fit. */
      readonly nodes: readonly NodeFit[];
      /** Why the job is queued again after an earlier attempt; null on the first. */
      readonly because: string | null;
    }
  /** Starting: these nodes have not reported their part prepared. */
  | { readonly kind: "preparing"; readonly summary: string; readonly nodes: readonly NodeId[] }
  /** Terminating: these nodes have not reported their part stopped, and are not lost. */
  | { readonly kind: "stopping"; readonly summary: string; readonly nodes: readonly NodeId[] };

/** What the gang asks of each of `nodes` nodes. For whole nodes `gpusPerNode` is the least that will do. */
export interface Demand {
  readonly nodes: number;
  readonly gpusPerNode: number;
  readonly slotsPerNode: number;
  readonly wholeNodes: boolean;
}

export interface NodeFit {
  readonly node: NodeId;
  readonly fits: boolean;
  readonly reason: string;
}

/**
 * Says what the job waits for, by the same filters that place it: a queued job with `available` of at least
 * `needed.nodes` is placed by the next cycle, unless a job before it in the queue takes the nodes. Null for a job that
 * runs, has ended, or is not known.
 */
export function explainWait(view: StateView, id: JobId): WaitReason | null {
  const job = view.jobs.get(id);
  switch (job?.state.kind) {
    case "queued":
      return waitsForResources(view, job, job.state.because);
    case "starting": {
      const nodes = nodesNotYet(job.state.attempt, ["prepared"]);
      const summary =
        nodes.length > 0 ? `is being prepared on ${listed(nodes)}` : "is prepared, and about to start";
      return { kind: "preparing", summary, nodes: nodes.slice(0, nodesListedMax) };
    }
    case "terminating": {
      const nodes = nodesNotYet(job.state.attempt, ["stopped", "lost"]);
      const summary = `is being stopped on ${listed(nodes)}`;
      return { kind: "stopping", summary, nodes: nodes.slice(0, nodesListedMax) };
    }
    case "running":
    case "succeeded":
    case "failed":
    case "cancelled":
    case undefined:
      return null;
  }
}

function waitsForResources(view: StateView, job: JobRecord, because: string | null): WaitReason {
  const { spec } = job;
  const judged = [...createDraft(view).nodes.values()].map((node) => judge(view, node, spec)).toSorted(byUse);
  const inPool = judged.filter((node) => node.inPool);
  const available = inPool.filter((node) => node.fits).length;
  return {
    kind: "resources",
    summary: summarise(spec, inPool, available, judged.length),
    needed: demandOf(spec),
    available,
    nodes: judged.slice(0, nodesListedMax).map(({ node, fits, reason }) => ({ node, fits, reason })),
    because,
  };
}

interface JudgedNode extends NodeFit {
  readonly inPool: boolean;
}

function judge(view: StateView, node: DraftNode, spec: JobSpec): JudgedNode {
  const objection = firstObjection(node, spec);
  return {
    node: node.record.id,
    fits: objection === null,
    reason: objection === null ? "fits" : objection.explain(node, spec, view),
    inPool: pool.check(node, spec),
  };
}

/** The nodes of the pool before others, then those that stand in the way before those that fit, then by name. */
function byUse(a: JudgedNode, b: JudgedNode): number {
  return Number(b.inPool) - Number(a.inPool) || Number(a.fits) - Number(b.fits) || (a.node < b.node ? -1 : 1);
}

function summarise(spec: JobSpec, inPool: readonly JudgedNode[], available: number, known: number): string {
  const needs = `needs ${describeDemand(spec)}`;
  if (inPool.length === 0) {
    const elsewhere =
      known === 0 ? "" : `; ${count(known, "node")} ${known === 1 ? "is" : "are"} in other pools`;
    return `${needs}; pool ${spec.pool} has no node yet${elsewhere}`;
  }
  const where = spec.pool === DEFAULT_POOL ? "" : ` of pool ${spec.pool}`;
  const fit = `${available} of ${count(inPool.length, "node")}${where} ${available === 1 ? "fits" : "fit"} now`;
  if (available >= spec.nodeCount) return `${needs}; ${fit}: it is next, unless a job before it takes them`;

  const blockers = inPool.filter((node) => !node.fits);
  if (blockers.length === 0) return `${needs}; ${fit}`;
  const reasons = blockers.slice(0, nodesListedMax).map(({ node, reason }) => `${node}: ${reason}`);
  const more = blockers.length - reasons.length;
  return `${needs}; ${fit}: ${reasons.join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
}

function demandOf({ nodeCount, shape }: JobSpec): Demand {
  const whole = shape.kind === "wholeNode";
  return {
    nodes: nodeCount,
    gpusPerNode: whole ? shape.gpusAtLeast : shape.gpus,
    slotsPerNode: whole ? 0 : shape.slots,
    wholeNodes: whole,
  };
}

function nodesNotYet(attempt: Attempt, done: readonly PartProgress["kind"][]): NodeId[] {
  return attempt.parts.filter((part) => !done.includes(part.progress.kind)).map((part) => part.node);
}

function listed(nodes: readonly NodeId[]): string {
  const more = nodes.length - nodesListedMax;
  return `${nodes.slice(0, nodesListedMax).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
