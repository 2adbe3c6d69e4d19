import type { NodeRecord } from "../../scheduler/model/node.ts";
import type { JobId } from "../../scheduler/model/ids.ts";
import type { Store } from "../store/store.ts";
import type { Mesh } from "../../proto/gen/gpumesh/v1/Mesh.ts";
import type { Node } from "../../proto/gen/gpumesh/v1/Node.ts";
import type { Member } from "../mesh/directory.ts";

type StateView = ReturnType<Store["view"]>;

/** What consensus knows of the members, beside the replicated state. */
export interface Consensus {
  readonly leader: string;
  readonly term: number;
  readonly members: readonly Member[];
}

/** The node as users see it; "idle" and "busy" are derived from what its jobs hold. */
export function presentNode(view: StateView, record: NodeRecord, consensus: Consensus): Node {
  const { facts } = record;
  const allocations = view.allocationsOf(record.id);
  const holders = new Map<string, JobId>();
  for (const allocation of allocations) for (const uuid of allocation.gpus) holders.set(uuid, allocation.job);
  const member = consensus.members.find((candidate) => candidate.name === record.id);
  return {
    name: record.id,
    number: record.number,
    state: nodeWord(record, allocations.length > 0),
    reason: record.state.kind === "lost" ? record.state.reason : "",
    sinceMs: record.state.since,
    address: facts?.address ?? "",
    pool: facts?.pool ?? "",
    spot: facts?.spot ?? false,
    version: facts?.version ?? "",
    raftRole: member?.raftRole ?? "client",
    leader: consensus.leader === record.id,
    cpus: facts?.inventory.cpus ?? 0,
    memoryMib: facts?.inventory.memoryMiB ?? 0,
    slots: facts?.inventory.slots ?? 0,
    slotsUsed: allocations.reduce((sum, allocation) => sum + allocation.slots, 0),
    driver: facts?.inventory.driver ?? "",
    gpus: (facts?.inventory.gpus ?? []).map((gpu) => ({
      index: gpu.index,
      uuid: gpu.uuid,
      name: gpu.name,
      memoryMib: gpu.memoryMiB ?? 0,
      pciBusId: gpu.pciBusId,
      healthy: gpu.healthy,
      reasons: [...gpu.reasons],
      jobId: holders.get(gpu.uuid) ?? 0,
    })),
    interfaces: (facts?.inventory.interfaces ?? []).map((network) => ({
      name: network.name,
      address: network.address,
      cidr: network.cidr,
      speedMbps: network.speedMbps ?? 0,
      up: network.up,
    })),
    jobs: allocations.map((allocation) => allocation.job),
  };
}

/** The mesh at a glance. */
export function presentMesh(view: StateView, consensus: Consensus, version: string): Mesh {
  const nodes = [...view.nodes.values()].map((record) => presentNode(view, record, consensus));
  const ready = nodes.filter((node) => node.state === "idle" || node.state === "busy");
  const gpus = ready.flatMap((node) => (node.gpus ?? []).filter((gpu) => gpu.healthy));
  return {
    id: view.mesh?.id ?? "",
    leader: consensus.leader,
    term: consensus.term,
    applied: view.version,
    voters: consensus.members.filter((member) => member.raftRole === "voter").map((member) => member.name),
    nodesByState: countBy(nodes.map((node) => node.state ?? "")),
    jobsByState: countBy([...view.jobs.values()].map((job) => job.state.kind)),
    gpus: gpus.length,
    gpusUsed: gpus.filter((gpu) => gpu.jobId !== 0).length,
    slots: ready.reduce((sum, node) => sum + (node.slots ?? 0), 0),
    slotsUsed: ready.reduce((sum, node) => sum + (node.slotsUsed ?? 0), 0),
    version,
  };
}

function nodeWord(record: NodeRecord, holdsJobs: boolean): string {
  if (record.state.kind !== "ready") return record.state.kind;
  return holdsJobs ? "busy" : "idle";
}

function countBy(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words.toSorted()) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
