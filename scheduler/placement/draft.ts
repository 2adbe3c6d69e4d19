import type { PlannedPart } from "../model/command.ts";
import type { JobId, NodeId } from "../model/ids.ts";
import type { Gpu } from "../model/inventory.ts";
import { activeAttempt, type JobSpec } from "../model/job.ts";
import type { NodeRecord } from "../model/node.ts";
import { freeCapacity } from "../state/capacity.ts";
import type { Allocation, StateView } from "../state/state.ts";

/** A node as the draft has it: the record, less what is held and what the draft gave away. An immutable value. */
export interface DraftNode {
  readonly record: NodeRecord;
  /** Healthy and free, by ascending index. */
  readonly freeGpus: readonly Gpu[];
  readonly freeSlots: number;
  readonly holders: readonly Allocation[];
  /** Rendezvous ports of the attempts whose head this node is. */
  readonly rendezvousPorts: ReadonlySet<number>;
}

/** A gang that the draft is to give its parts; the first part is the head. */
export interface DraftGang {
  readonly job: JobId;
  readonly attempt: number;
  readonly spec: JobSpec;
  readonly parts: readonly PlannedPart[];
  readonly rendezvousPort: number;
}

/** A plan in the making over a snapshot of the state, which it never touches. */
export function createDraft(view: StateView): Draft {
  const ports = new Map<NodeId, Set<number>>();
  for (const job of view.activeJobs()) {
    const attempt = activeAttempt(job);
    const head = attempt?.parts[0]?.node;
    if (!attempt || head === undefined) continue;
    ports.set(head, (ports.get(head) ?? new Set()).add(attempt.launch.rendezvousPort));
  }
  const nodes = new Map<NodeId, DraftNode>();
  for (const record of view.nodes.values()) {
    const holders = view.allocationsOf(record.id);
    const free = freeCapacity(record, holders);
    const rendezvousPorts = ports.get(record.id) ?? new Set();
    nodes.set(record.id, { record, freeGpus: free.gpus, freeSlots: free.slots, holders, rendezvousPorts });
  }
  return new Draft(nodes);
}

/** The most that the node could ever give: nothing is held, and every GPU it has is healthy. */
export function emptyNode(record: NodeRecord): DraftNode {
  const inventory = record.facts?.inventory;
  return {
    record,
    freeGpus: inventory?.gpus ?? [],
    freeSlots: inventory?.slots ?? 0,
    holders: [],
    rendezvousPorts: new Set(),
  };
}

/** Gives resources away, and takes back all that was given since a checkpoint. */
export class Draft {
  readonly #nodes: Map<NodeId, DraftNode>;
  /** The node values that were replaced, oldest first. */
  readonly #undo: DraftNode[] = [];

  constructor(nodes: Map<NodeId, DraftNode>) {
    this.#nodes = nodes;
  }

  get nodes(): ReadonlyMap<NodeId, DraftNode> {
    return this.#nodes;
  }

  /** A mark for `rollback`. */
  checkpoint(): number {
    return this.#undo.length;
  }

  /** Makes the draft what it was at the checkpoint. Later checkpoints are void. */
  rollback(checkpoint: number): void {
    while (this.#undo.length > checkpoint) {
      const node = this.#undo.pop();
      if (node !== undefined) this.#nodes.set(node.record.id, node);
    }
  }

  /** Gives the gang its parts. A part that does not fit is a broken invariant: the filters let it through. */
  take(gang: DraftGang): void {
    gang.parts.forEach((part, index) => {
      const node = this.#nodes.get(part.node);
      if (node === undefined) throw new Error(`the draft has no node ${part.node}`);
      this.#undo.push(node);
      this.#nodes.set(part.node, without(node, gang, part, index === 0));
    });
  }
}

function without(node: DraftNode, gang: DraftGang, part: PlannedPart, head: boolean): DraftNode {
  const taken = new Set(part.gpus);
  const left = node.freeGpus.filter((gpu) => !taken.has(gpu.uuid));
  if (left.length !== node.freeGpus.length - part.gpus.length || part.slots > node.freeSlots) {
    throw new Error(`job ${gang.job} was drafted on node ${part.node}, where it does not fit`);
  }
  const allocation: Allocation = {
    job: gang.job,
    attempt: gang.attempt,
    gpus: part.gpus,
    slots: part.slots,
    wholeNode: gang.spec.shape.kind === "wholeNode",
  };
  const holders = [...node.holders, allocation];
  const ports = node.rendezvousPorts;
  return {
    record: node.record,
    freeGpus: left,
    freeSlots: node.freeSlots - part.slots,
    holders,
    rendezvousPorts: head ? new Set([...ports, gang.rendezvousPort]) : ports,
  };
}
