import type { ApplyResult, PlaceGang, PlannedPart, StartGang } from "../model/command.ts";
import type { JobSpec, NodeShape, Part } from "../model/job.ts";
import type { NodeRecord } from "../model/node.ts";
import { demandOn, freeCapacity } from "./capacity.ts";
import { APPLIED, stale } from "./refusal.ts";
import type { Allocation, State } from "./state.ts";
import { moveJob } from "./transition.ts";

/**
 * Verifies a plan against the state of now and commits it whole, or refuses it whole with the first fact that no
 * longer holds. The raft index becomes the fence of the attempt.
 */
export function placeGang(state: State, command: PlaceGang, index: number): ApplyResult {
  const job = state.jobs.get(command.job);
  if (job === undefined) return stale(`there is no job ${command.job}`);
  if (job.state.kind !== "queued") return stale(`job ${job.id} is ${job.state.kind}, not queued`);
  if (command.attempt !== job.attempts + 1) {
    return stale(`the next attempt of job ${job.id} is ${job.attempts + 1}, not ${command.attempt}`);
  }
  if (command.parts.length !== job.spec.nodeCount) {
    return stale(`job ${job.id} needs ${job.spec.nodeCount} nodes, the plan names ${command.parts.length}`);
  }

  const parts: Part[] = [];
  const seen = new Set<string>();
  for (const planned of command.parts) {
    if (seen.has(planned.node)) return stale(`node ${planned.node} stands twice in the plan`);
    seen.add(planned.node);
    const part = verifyPart(state, job.spec, planned);
    if (typeof part === "string") return stale(part);
    parts.push(part);
  }

  moveJob(state, {
    ...job,
    attempts: command.attempt,
    state: {
      kind: "starting",
      attempt: {
        number: command.attempt,
        fence: { epoch: state.mesh?.recoveryEpoch ?? 0, index },
        placedAt: command.at,
        parts,
        launch: command.launch,
      },
    },
  });
  return APPLIED;
}

/** All parts are prepared: the ranks of all start together. */
export function startGang(state: State, command: StartGang): ApplyResult {
  const job = state.jobs.get(command.job);
  if (job === undefined) return stale(`there is no job ${command.job}`);
  if (job.state.kind !== "starting") return stale(`job ${job.id} is ${job.state.kind}, not starting`);
  const { attempt } = job.state;
  if (attempt.number !== command.attempt) {
    return stale(`job ${job.id} is starting attempt ${attempt.number}, not ${command.attempt}`);
  }
  const unprepared = attempt.parts.find((part) => part.progress.kind !== "prepared");
  if (unprepared !== undefined) return stale(`job ${job.id} is not prepared on node ${unprepared.node}`);

  moveJob(state, {
    ...job,
    refusals: 0,
    state: {
      kind: "running",
      startedAt: command.at,
      attempt: {
        ...attempt,
        parts: attempt.parts.map((part) => ({ ...part, progress: { kind: "started" } })),
      },
    },
  });
  return APPLIED;
}

/** The part as it is committed, or the first fact of the plan that does not hold. */
function verifyPart(state: State, spec: JobSpec, planned: PlannedPart): Part | string {
  const node = state.nodes.get(planned.node);
  if (node === undefined) return `no node is named ${planned.node}`;
  if (node.state.kind !== "ready" || node.facts === null)
    return `node ${node.id} is ${node.state.kind}, not ready`;
  if (node.session !== planned.session) {
    return `node ${node.id} has session ${node.session}, the plan rests on ${planned.session}`;
  }
  if (node.placeable !== planned.placeable) return `node ${node.id} has changed since the plan was made`;
  if (node.facts.pool !== spec.pool) return `node ${node.id} is in pool ${node.facts.pool}, not ${spec.pool}`;

  const held = state.allocationsOf(node.id);
  const fault = capacityFault(node, held, planned) ?? shapeFault(spec.shape, node, held, planned);
  if (fault !== null) return fault;

  const { address, inventory, network } = node.facts;
  return {
    node: node.id,
    session: node.session,
    address,
    hostname: inventory.hostname,
    network,
    gpus: planned.gpus,
    slots: planned.slots,
    progress: { kind: "assigned" },
  };
}

/** Every GPU and slot of the plan is there and free. */
function capacityFault(node: NodeRecord, held: readonly Allocation[], planned: PlannedPart): string | null {
  const whole = held.find((allocation) => allocation.wholeNode);
  if (whole !== undefined) return `job ${whole.job} holds the whole of node ${node.id}`;

  if (new Set(planned.gpus).size !== planned.gpus.length)
    return `a GPU of node ${node.id} stands twice in the plan`;
  const free = freeCapacity(node, held);
  const taken = planned.gpus.find((uuid) => !free.gpus.some((gpu) => gpu.uuid === uuid));
  if (taken !== undefined) return `GPU ${taken} of node ${node.id} ${whyNotFree(node, held, taken)}`;
  if (planned.slots > free.slots) {
    return `node ${node.id} has ${free.slots} free slots, the plan takes ${planned.slots}`;
  }
  return null;
}

/** The plan takes neither more nor less than the job asks of one node. */
function shapeFault(
  shape: NodeShape,
  node: NodeRecord,
  held: readonly Allocation[],
  planned: PlannedPart,
): string | null {
  const [holder] = held;
  if (shape.kind === "wholeNode" && holder !== undefined) {
    return `job ${holder.job} holds a part of node ${node.id}, the job needs all of it`;
  }
  const { gpus, slots } = demandOn(shape, node);
  if (planned.gpus.length !== gpus || planned.slots !== slots) {
    const takes = `${planned.gpus.length} GPUs and ${planned.slots} slots`;
    return `the plan takes ${takes} of node ${node.id}, the job's shape is ${gpus} GPUs and ${slots} slots`;
  }
  if (shape.kind === "wholeNode" && gpus < shape.gpusAtLeast) {
    return `node ${node.id} has ${gpus} healthy GPUs, the job needs ${shape.gpusAtLeast}`;
  }
  return null;
}

function whyNotFree(node: NodeRecord, held: readonly Allocation[], uuid: string): string {
  const holder = held.find((allocation) => allocation.gpus.includes(uuid));
  if (holder !== undefined) return `is held by job ${holder.job}`;
  const known = node.facts?.inventory.gpus.some((gpu) => gpu.uuid === uuid) ?? false;
  return known ? "is not healthy" : "is not there";
}
