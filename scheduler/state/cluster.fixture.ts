import type { ApplyResult, Command, PartReport, PlaceGang, PlannedPart } from "../model/command.ts";
import { DEFAULT_POOL, jobId, nodeId, poolId, type JobId, type NodeId } from "../model/ids.ts";
import type { Gpu } from "../model/inventory.ts";
import { activeAttempt, type Attempt, type CommandExit, type JobRecord, type JobSpec } from "../model/job.ts";
import type { NodeFacts, NodeRecord } from "../model/node.ts";
import { apply } from "./apply.ts";
import { demandOn, freeCapacity } from "./capacity.ts";
import { checkInvariants, checkStep } from "./invariants.ts";
import { recordsOf } from "./records.ts";
import { createState, type State } from "./state.ts";

/** What a test says of a machine; the rest is filled in. */
export interface TestMachine {
  readonly gpus?: number;
  readonly slots?: number;
  readonly pool?: string;
  readonly bootId?: string;
  readonly spot?: boolean;
  readonly failureDomain?: string;
  /** Indexes of GPUs that are not healthy. */
  readonly sick?: readonly number[];
}

/**
 * A cluster for scenario tests: verbs drive the state machine through commands, as the daemons would. All invariants
 * are checked after every command, and that a refused one changed nothing. A verb whose command is refused throws;
 * `apply` gives the result back.
 */
export class TestCluster {
  readonly state: State = createState();
  /** Every command applied so far; the first has index 1. */
  readonly log: Command[] = [];

  /** Unix ms of the next command: one second after the last. */
  get now(): number {
    return 1_700_000_000_000 + this.log.length * 1000;
  }

  apply(command: Command): ApplyResult {
    const jobs = new Map(this.state.jobs);
    const records = JSON.stringify([...recordsOf(this.state)]);
    this.log.push(command);
    const result = apply(this.state, command, this.log.length);
    checkInvariants(this.state);
    checkStep(jobs, this.state);
    if (result.kind === "refused" && JSON.stringify([...recordsOf(this.state)]) !== records) {
      throw new Error(`a refused command changed the state: ${JSON.stringify(command)}`);
    }
    return result;
  }

  /** Brings the node in as far as needed (mesh, token, admission), then registers its daemon. */
  register(name: string, machine: TestMachine = {}): void {
    const node = nodeId(name);
    if (this.state.mesh === null) this.must(initialise(node, this.now));
    if (!this.state.nodes.has(node)) {
      const token = { id: "token", secretHash: "hash" };
      if (this.state.tokens.size === 0) {
        this.must({ kind: "addJoinToken", at: this.now, ...token, expiresAt: Number.MAX_SAFE_INTEGER });
      }
      const { id: tokenId, secretHash } = token;
      this.must({ kind: "admitNode", at: this.now, requestId: `admit-${name}`, node, tokenId, secretHash });
    }
    this.must({ kind: "registerNode", at: this.now, facts: testFacts(name, machine) });
  }

  expire(name: string, reason = "no renewal for 6.5 s"): void {
    const node = nodeId(name);
    this.must({ kind: "expireNode", at: this.now, node, session: this.node(name).session, reason });
  }

  submit(spec: Partial<JobSpec> = {}, requestId = `request-${this.log.length}`): JobId {
    const result = this.must({
      kind: "submitJob",
      at: this.now,
      requestId,
      spec: testSpec(spec),
      submittedBy: "alice",
    });
    if (result.kind !== "job") throw new Error(`submit gave ${JSON.stringify(result)}`);
    return result.job;
  }

  cancel(job: JobId): void {
    const requestId = `cancel-${this.log.length}`;
    this.must({ kind: "cancelJob", at: this.now, requestId, job, by: "alice" });
  }

  /** Places the gang on these nodes, on the first free GPUs of each. */
  place(job: JobId, ...names: string[]): void {
    this.must(this.plan(job, ...names));
  }

  /** The plan that `place` applies. */
  plan(job: JobId, ...names: string[]): PlaceGang {
    const { spec, attempts } = this.job(job);
    return {
      kind: "placeGang",
      at: this.now,
      job,
      attempt: attempts + 1,
      parts: names.map((name) => this.#plannedPart(this.node(name), spec)),
      launch: { rendezvousPort: 29_400, token: `secret-${job}-${attempts + 1}` },
    };
  }

  /** Reports the part prepared on these nodes; on all without any. */
  prepare(job: JobId, ...names: string[]): void {
    for (const node of this.#nodesOf(job, names)) this.must(this.report(job, node, { kind: "prepared" }));
  }

  refuse(job: JobId, name: string, reason: string): void {
    this.must(this.report(job, name, { kind: "refused", reason }));
  }

  start(job: JobId): void {
    this.must({ kind: "startGang", at: this.now, job, attempt: this.attempt(job).number });
  }

  /** From queued to running on these nodes. */
  run(job: JobId, ...names: string[]): void {
    this.place(job, ...names);
    this.prepare(job);
    this.start(job);
  }

  exit(job: JobId, name: string, code = 0, endedBy: CommandExit["endedBy"] = "itself"): void {
    this.must(this.report(job, name, { kind: "exited", exits: [testExit(code, endedBy)] }));
  }

  /** Reports the part stopped on these nodes; on all that are not lost without any. */
  stop(job: JobId, ...names: string[]): void {
    for (const node of this.#nodesOf(job, names))
      this.must(this.report(job, node, { kind: "stopped", exits: [] }));
  }

  /** The report as the node of the active attempt would make it. */
  report(job: JobId, name: string, report: PartReport): Command {
    const { number, fence } = this.attempt(job);
    return { kind: "reportPart", at: this.now, job, attempt: number, fence, node: nodeId(name), report };
  }

  job(id: number): JobRecord {
    const job = this.state.jobs.get(jobId(id));
    if (job === undefined) throw new Error(`no job ${id}`);
    return job;
  }

  node(name: string): NodeRecord {
    const node = this.state.nodes.get(nodeId(name));
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  attempt(id: JobId): Attempt {
    const attempt = activeAttempt(this.job(id));
    if (attempt === null)
      throw new Error(`job ${id} is ${this.job(id).state.kind}, it has no active attempt`);
    return attempt;
  }

  /** Applies a command that must not be refused. */
  must(command: Command): ApplyResult {
    const result = this.apply(command);
    if (result.kind === "refused")
      throw new Error(`${command.kind} was refused: ${result.code}: ${result.reason}`);
    return result;
  }

  #plannedPart(node: NodeRecord, { shape }: JobSpec): PlannedPart {
    const { gpus, slots } = demandOn(shape, node);
    const free = freeCapacity(node, this.state.allocationsOf(node.id)).gpus.map((gpu) => gpu.uuid);
    const { id, session: current, placeable } = node;
    return { node: id, session: current, placeable, gpus: free.slice(0, gpus), slots };
  }

  #nodesOf(job: JobId, names: readonly string[]): readonly string[] {
    if (names.length > 0) return names;
    return this.attempt(job)
      .parts.filter((part) => part.progress.kind !== "lost")
      .map((part) => part.node);
  }
}

/** A job of one node and one GPU, unless the test says otherwise. */
export function testSpec(spec: Partial<JobSpec> = {}): JobSpec {
  return {
    name: "train",
    workspace: "default",
    experiment: "default",
    priority: "normal",
    pool: DEFAULT_POOL,
    nodeCount: 1,
    shape: { kind: "share", gpus: 1, slots: 1 },
    toolkit: { kind: "customToolkit", commandLine: "train" },
    environment: [],
    inputDirectories: [],
    outputDirectories: [],
    stdOutErrPathPrefix: null,
    workingDirectory: null,
    maxRetries: 0,
    ...spec,
  };
}

/** A machine of 8 GPUs and 16 slots on its first boot, unless the test says otherwise. */
export function testFacts(name: string, machine: TestMachine = {}): NodeFacts {
  const { gpus = 8, slots = 16, pool = DEFAULT_POOL, bootId = "boot-1", sick = [] } = machine;
  const gpu = (index: number): Gpu => ({
    uuid: `GPU-${name}-${index}`,
    index,
    name: "NVIDIA H100",
    memoryMiB: 81_559,
    pciBusId: `0000:0${index}:00.0`,
    healthy: !sick.includes(index),
    reasons: sick.includes(index) ? ["fell off the bus"] : [],
  });
  return {
    id: nodeId(name),
    address: `${name}:7400`,
    network: null,
    pool: poolId(pool),
    spot: machine.spot ?? false,
    failureDomain: machine.failureDomain ?? null,
    bootId,
    version: "0.1.0",
    inventory: {
      hostname: name,
      cpus: slots,
      memoryMiB: 65_536,
      slots,
      gpus: Array.from({ length: gpus }, (_, index) => gpu(index)),
      interfaces: [],
      driver: "550.54",
    },
  };
}

/** How one command of a test job ended. */
export function testExit(code: number, endedBy: CommandExit["endedBy"] = "itself"): CommandExit {
  return { command: "task-0", code, endedBy, reason: null };
}

function initialise(founder: NodeId, at: number): Command {
  const authority = { certificatePem: "certificate", privateKeyPem: "key" };
  return { kind: "initialiseMesh", at, meshId: "mesh", authority, founder };
}
