import type { JobId, NodeId } from "../model/ids.ts";
import { activeAttempt, isTerminal, type Attempt, type JobRecord } from "../model/job.ts";
import { demandOn } from "./capacity.ts";
import { historyLengthMax, isGone } from "./finish.ts";
import { refusalsMax } from "./outcome.ts";
import type { Allocation, StateView } from "./state.ts";

/**
 * Throws, naming the broken one, unless every invariant of the state holds. J2 to J7 are the names that the project's
 * simulation uses too. Costs time in proportion to the state: for tests and simulation.
 */
export function checkInvariants(view: StateView): void {
  checkRequests(view);
  checkNodes(view);
  for (const job of view.jobs.values()) {
    checkAttempts(view, job);
    checkGang(view, job);
  }
  checkAllocations(view);
  checkIndexes(view);
}

/** Throws unless every job of `before` is still there, and moved forward only. */
export function checkStep(before: ReadonlyMap<JobId, JobRecord>, view: StateView): void {
  for (const [id, old] of before) {
    const now = view.jobs.get(id);
    if (now === undefined) throw broken("J1 no job is forgotten", `job ${id}`);
    if (isTerminal(old.state)) ensure(now === old, "J7 a terminal job never changes", `job ${id}`);
    ensure(now.attempts >= old.attempts, "J3 attempt numbers only rise", `job ${id}`);
    ensure(
      now.requestId === old.requestId && now.spec === old.spec,
      "J2 a job keeps its request",
      `job ${id}`,
    );
  }
}

function checkRequests(view: StateView): void {
  const requests = new Set([...view.jobs.values()].map((job) => job.requestId));
  ensure(requests.size === view.jobs.size, "J2 a request makes at most one job", `${view.jobs.size} jobs`);
  for (const [id, job] of view.jobs) {
    ensure(job.id === id, "a job is found under its own id", `job ${id}`);
    ensure(view.jobByRequest(job.requestId) === job, "the request index equals the jobs", `job ${id}`);
  }
}

function checkNodes(view: StateView): void {
  const numbers = new Set<number>();
  for (const [id, node] of view.nodes) {
    const where = `node ${id}`;
    ensure(node.id === id, "a node is found under its own name", where);
    ensure(!numbers.has(node.number), "a node number is given once", where);
    numbers.add(node.number);
    ensure(view.nodeByNumber(node.number) === node, "the number index equals the nodes", where);
    ensure(node.session <= view.version, "a session was opened by an applied command", where);
    ensure(
      (node.state.kind === "joining") === (node.facts === null),
      "only a joining node has no facts",
      where,
    );
    ensure(view.admissions.has(id), "every node was admitted", where);
  }
}

function checkAttempts(view: StateView, job: JobRecord): void {
  const where = `job ${job.id}`;
  const attempt = activeAttempt(job);
  const numbers = job.history.map((past) => past.number);
  if (attempt !== null) numbers.push(attempt.number);
  ensure(
    numbers.every((number, i) => number > (numbers[i - 1] ?? 0)),
    "J3 attempt numbers strictly rise",
    where,
  );
  ensure((numbers.at(-1) ?? 0) === job.attempts, "J3 the newest attempt is the one counted", where);
  ensure(job.history.length <= historyLengthMax, "the history is bounded", where);
  ensure(job.failures <= job.spec.maxRetries, "charged retries stay within the job's rule", where);
  ensure(job.refusals <= refusalsMax, "refused preparations stay within their limit", where);
  if (attempt === null) return;
  ensure(attempt.fence.index <= view.version, "a fence is the index of an applied command", where);
  checkParts(view, job, attempt);
}

/** What the state of the job says of its parts. */
function checkParts(view: StateView, job: JobRecord, { parts }: Attempt): void {
  const where = `job ${job.id}`;
  const kinds = new Set(parts.map((part) => part.progress.kind));
  const only = (...allowed: string[]): boolean => [...kinds].every((kind) => allowed.includes(kind));
  switch (job.state.kind) {
    case "starting":
      ensure(only("assigned", "prepared"), "J6 no rank starts before the whole gang does", where);
      break;
    case "running":
      ensure(only("started", "exited", "stopped"), "J6 all ranks of a running gang have started", where);
      break;
    case "terminating":
      ensure(!parts.every(isGone), "an attempt ends as soon as all of it is gone", where);
      break;
    case "queued":
    case "succeeded":
    case "failed":
    case "cancelled":
      throw broken("J3 only an active job has an attempt", where);
  }
  for (const part of parts.filter((candidate) => !isGone(candidate))) {
    const node = view.nodes.get(part.node);
    const there = node?.state.kind === "ready" && node.session === part.session;
    ensure(there, "J4 a part that may run is on its node's session of now", `${where} on ${part.node}`);
  }
}

function checkGang(view: StateView, job: JobRecord): void {
  const attempt = activeAttempt(job);
  if (attempt === null) return;
  const { shape, nodeCount } = job.spec;
  const where = `job ${job.id}`;
  ensure(attempt.parts.length === nodeCount, "J6 a gang is whole", where);
  ensure(
    new Set(attempt.parts.map((part) => part.node)).size === nodeCount,
    "J6 a gang's nodes differ",
    where,
  );
  const justPlaced = attempt.fence.index === view.version;
  for (const part of attempt.parts) {
    const wanted =
      shape.kind === "share"
        ? part.gpus.length === shape.gpus && part.slots === shape.slots
        : part.gpus.length >= shape.gpusAtLeast;
    ensure(wanted, "J6 each node gives what the job asked", `${where} on ${part.node}`);
    // The inventory may shrink under a running attempt, so its bound is checked when an attempt is placed.
    if (justPlaced) checkFit(view, job, part.node, part.gpus);
  }
}

function checkFit(view: StateView, job: JobRecord, id: NodeId, gpus: readonly string[]): void {
  const node = view.nodes.get(id);
  if (!node?.facts) throw broken("J6 a gang is placed on known nodes", `node ${id}`);
  const { inventory } = node.facts;
  const healthy = new Set(inventory.gpus.filter((gpu) => gpu.healthy).map((gpu) => gpu.uuid));
  ensure(
    gpus.every((uuid) => healthy.has(uuid)),
    "J6 the GPUs placed are there and healthy",
    `node ${id}`,
  );
  const slots = view.allocationsOf(id).reduce((sum, allocation) => sum + allocation.slots, 0);
  ensure(slots <= inventory.slots, "J6 the slots given are within the node's", `node ${id}`);
  if (job.spec.shape.kind === "wholeNode") {
    ensure(
      gpus.length === demandOn(job.spec.shape, node).gpus,
      "J6 a whole node is given whole",
      `node ${id}`,
    );
  }
}

function checkAllocations(view: StateView): void {
  for (const id of view.nodes.keys()) {
    const allocations = view.allocationsOf(id);
    const gpus = allocations.flatMap((allocation) => allocation.gpus);
    ensure(new Set(gpus).size === gpus.length, "J5 a GPU is held by at most one attempt", `node ${id}`);
    const whole = allocations.some((allocation) => allocation.wholeNode);
    ensure(!whole || allocations.length === 1, "J5 a whole node is shared with nothing", `node ${id}`);
  }
}

/** Every index equals what a reading of all records gives. */
function checkIndexes(view: StateView): void {
  const jobs = [...view.jobs.values()];
  const queued = jobs.filter((job) => job.state.kind === "queued");
  const active = jobs.filter((job) => activeAttempt(job) !== null);
  ensure(
    sameJobs(view.queuedJobs(), queued),
    "the index of queued jobs equals the jobs",
    `${queued.length} jobs`,
  );
  ensure(
    sameJobs(view.activeJobs(), active),
    "the index of active jobs equals the jobs",
    `${active.length} jobs`,
  );

  const expected = new Map<NodeId, Allocation[]>();
  for (const job of active.toSorted((a, b) => a.id - b.id)) {
    const attempt = activeAttempt(job);
    for (const part of attempt?.parts ?? []) {
      const wholeNode = job.spec.shape.kind === "wholeNode";
      const { gpus, slots } = part;
      const allocation = { job: job.id, attempt: attempt?.number ?? 0, gpus, slots, wholeNode };
      expected.set(part.node, [...(expected.get(part.node) ?? []), allocation]);
    }
  }
  for (const id of new Set([...view.nodes.keys(), ...expected.keys()])) {
    const same = JSON.stringify(view.allocationsOf(id)) === JSON.stringify(expected.get(id) ?? []);
    ensure(same, "the index of allocations equals the attempts", `node ${id}`);
  }
}

function sameJobs(index: Iterable<JobRecord>, expected: readonly JobRecord[]): boolean {
  const found = [...index];
  return found.length === expected.length && new Set([...found, ...expected]).size === expected.length;
}

function ensure(holds: boolean, invariant: string, where: string): void {
  if (!holds) throw broken(invariant, where);
}

function broken(invariant: string, where: string): Error {
  return new Error(`broken invariant: ${invariant} (${where})`);
}
