import type { ApplyResult } from "../model/command.ts";
import type { JobId, NodeId } from "../model/ids.ts";
import { activeAttempt, type JobRecord } from "../model/job.ts";
import type { NodeRecord } from "../model/node.ts";

/** The mesh's identity, and the authority that signs its certificates. */
export interface Mesh {
  readonly id: string;
  readonly authority: { readonly certificatePem: string; readonly privateKeyPem: string };
  readonly founder: NodeId;
  /** How often the mesh was recovered after a majority of its voters was lost for good. */
  readonly recoveryEpoch: number;
  /** When it was so last (Unix ms). */
  readonly recoveredAt: number | null;
  /** A voter that has been lost for so long is replaced. */
  readonly voterReplaceAfterMs: number;
}

/** What a request was answered, kept so that the same request again gets the same answer and changes nothing. */
export interface Answer {
  /** 0, 1, 2, ... in the order in which the requests were answered. */
  readonly sequence: number;
  readonly requestId: string;
  readonly result: ApplyResult;
}

/** The newest so many answers are kept; the count of later requests, not time, makes an answer forgotten. */
export const answersMax = 4096;

/** Who shows the secret behind `secretHash` (SHA-256, base64url) before `expiresAt` (Unix ms) may join. */
export interface JoinToken {
  readonly id: string;
  readonly secretHash: string;
  readonly expiresAt: number;
}

/** What one active attempt holds on one node, from its placement until the whole attempt is proven gone. */
export interface Allocation {
  readonly job: JobId;
  readonly attempt: number;
  /** UUIDs. */
  readonly gpus: readonly string[];
  readonly slots: number;
  /** Nothing else may be placed on the node. */
  readonly wholeNode: boolean;
}

/**
 * The replicated state, read-only. Records are immutable values, replaced whole by each change: a record read here
 * stays as it was. The view itself is live; who works on it across an `await` sees later versions.
 */
export interface StateView {
  /** Raft index of the last command applied; 0 before the first. */
  readonly version: number;
  readonly mesh: Mesh | null;
  readonly tokens: ReadonlyMap<string, JoinToken>;
  /** The request that admitted each node; null for the founder. */
  readonly admissions: ReadonlyMap<NodeId, string | null>;
  readonly nodes: ReadonlyMap<NodeId, NodeRecord>;
  readonly jobs: ReadonlyMap<JobId, JobRecord>;
  /** Jobs in state `queued`, in no particular order. */
  queuedJobs(): Iterable<JobRecord>;
  /** Jobs whose attempt holds resources: starting, running or terminating. In no particular order. */
  activeJobs(): Iterable<JobRecord>;
  /** By ascending job. Empty for a node that holds nothing or is not known. */
  allocationsOf(node: NodeId): readonly Allocation[];
  nodeByNumber(number: number): NodeRecord | null;
  jobByRequest(requestId: string): JobRecord | null;
  /** The answers that are kept, by the place that each takes: its sequence modulo `answersMax`. */
  readonly answers: ReadonlyMap<number, Answer>;
  /** What the request was answered; null for one that was never answered, or longer ago than answers are kept. */
  answerTo(requestId: string): ApplyResult | null;
}

/** `mesh`, `token/ID`, `admission/NODE`, `node/ID`, `job/NUMBER` or `answer/PLACE`: see `recordKey`. */
export type RecordKey = "mesh" | `${"token" | "admission" | "node" | "job" | "answer"}/${string}`;

/**
 * An empty state, before the first command. `onChange` hears the key of each record that is put or removed, before the
 * call that does it returns; the same key may come many times.
 */
export function createState(onChange: (key: RecordKey) => void = () => {}): State {
  return new State(onChange);
}

/**
 * The state with its indexes. Every index is maintained here and nowhere else, from the difference between the old
 * and the new record. Jobs are written only through `transition.ts` and `records.ts`.
 */
export class State implements StateView {
  #version = 0;
  #mesh: Mesh | null = null;
  readonly #tokens = new Map<string, JoinToken>();
  readonly #admissions = new Map<NodeId, string | null>();
  readonly #nodes = new Map<NodeId, NodeRecord>();
  readonly #jobs = new Map<JobId, JobRecord>();

  readonly #queued = new Map<JobId, JobRecord>();
  readonly #active = new Map<JobId, JobRecord>();
  readonly #allocations = new Map<NodeId, readonly Allocation[]>();
  readonly #numbers = new Map<number, NodeId>();
  readonly #requests = new Map<string, JobId>();
  readonly #answers = new Map<number, Answer>();
  readonly #answered = new Map<string, Answer>();
  #nextAnswer = 0;
  readonly #onChange: (key: RecordKey) => void;

  constructor(onChange: (key: RecordKey) => void) {
    this.#onChange = onChange;
  }

  get version(): number {
    return this.#version;
  }
  get mesh(): Mesh | null {
    return this.#mesh;
  }
  get tokens(): ReadonlyMap<string, JoinToken> {
    return this.#tokens;
  }
  get admissions(): ReadonlyMap<NodeId, string | null> {
    return this.#admissions;
  }
  get nodes(): ReadonlyMap<NodeId, NodeRecord> {
    return this.#nodes;
  }
  get jobs(): ReadonlyMap<JobId, JobRecord> {
    return this.#jobs;
  }

  get answers(): ReadonlyMap<number, Answer> {
    return this.#answers;
  }

  queuedJobs(): Iterable<JobRecord> {
    return this.#queued.values();
  }
  activeJobs(): Iterable<JobRecord> {
    return this.#active.values();
  }
  allocationsOf(node: NodeId): readonly Allocation[] {
    return this.#allocations.get(node) ?? [];
  }
  nodeByNumber(number: number): NodeRecord | null {
    const id = this.#numbers.get(number);
    return id === undefined ? null : (this.#nodes.get(id) ?? null);
  }
  jobByRequest(requestId: string): JobRecord | null {
    const id = this.#requests.get(requestId);
    return id === undefined ? null : (this.#jobs.get(id) ?? null);
  }

  answerTo(requestId: string): ApplyResult | null {
    return this.#answered.get(requestId)?.result ?? null;
  }

  /** Moves to a later raft index; an index that does not rise is a broken invariant. */
  advance(index: number): void {
    if (index <= this.#version) throw new Error(`index ${index} was applied after index ${this.#version}`);
    this.#version = index;
  }

  setMesh(mesh: Mesh): void {
    this.#mesh = mesh;
    this.#onChange("mesh");
  }

  putToken(token: JoinToken): void {
    this.#tokens.set(token.id, token);
    this.#onChange(`token/${token.id}`);
  }

  removeToken(id: string): void {
    this.#tokens.delete(id);
    this.#onChange(`token/${id}`);
  }

  putAdmission(node: NodeId, requestId: string | null): void {
    this.#admissions.set(node, requestId);
    this.#onChange(`admission/${node}`);
  }

  /** Keeps the answer to a request, in the place of the oldest one. */
  remember(requestId: string, result: ApplyResult): void {
    this.putAnswer({ sequence: this.#nextAnswer, requestId, result });
  }

  putAnswer(answer: Answer): void {
    const place = placeOf(answer);
    const before = this.#answers.get(place);
    if (before !== undefined) this.#answered.delete(before.requestId);
    this.#answers.set(place, answer);
    this.#answered.set(answer.requestId, answer);
    this.#nextAnswer = Math.max(this.#nextAnswer, answer.sequence + 1);
    this.#onChange(`answer/${place}`);
  }

  putNode(node: NodeRecord): void {
    this.#nodes.set(node.id, node);
    this.#numbers.set(node.number, node.id);
    this.#onChange(`node/${node.id}`);
  }

  putJob(job: JobRecord): void {
    const before = this.#jobs.get(job.id);
    this.#jobs.set(job.id, job);
    this.#requests.set(job.requestId, job.id);
    this.#onChange(`job/${job.id}`);

    if (job.state.kind === "queued") this.#queued.set(job.id, job);
    else this.#queued.delete(job.id);

    const attempt = activeAttempt(job);
    if (attempt === null) this.#active.delete(job.id);
    else this.#active.set(job.id, job);

    // What an attempt holds never changes while it lives, so only its begin and its end touch the allocations.
    const held = before === undefined ? null : activeAttempt(before);
    if (held?.number === attempt?.number) return;
    for (const part of held?.parts ?? []) this.#release(part.node, job.id);
    for (const part of attempt?.parts ?? []) {
      this.#hold(part.node, {
        job: job.id,
        attempt: attempt?.number ?? 0,
        gpus: part.gpus,
        slots: part.slots,
        wholeNode: job.spec.shape.kind === "wholeNode",
      });
    }
  }

  #hold(node: NodeId, allocation: Allocation): void {
    const all = [...this.allocationsOf(node), allocation].toSorted((a, b) => a.job - b.job);
    this.#allocations.set(node, all);
  }

  #release(node: NodeId, job: JobId): void {
    const left = this.allocationsOf(node).filter((allocation) => allocation.job !== job);
    if (left.length === 0) this.#allocations.delete(node);
    else this.#allocations.set(node, left);
  }
}

/** The place that an answer takes among those that are kept. */
export function placeOf({ sequence }: Answer): number {
  return sequence % answersMax;
}
