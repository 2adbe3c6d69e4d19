import type { CommandExit, Fence, JobSpec, LaunchChoice } from "./job.ts";
import type { JobId, NodeId, Session } from "./ids.ts";
import type { NodeFacts, VoteWish } from "./node.ts";

/**
 * Every change of the replicated state. Commands are data: time (`at`, Unix ms), random values and secrets ride in
 * them, so that applying one is deterministic on every replica.
 */
export type Command =
  | InitialiseMesh
  | AddJoinToken
  | AdmitNode
  | ConfigureMesh
  | RecoverMesh
  | SetVote
  | RegisterNode
  | ExpireNode
  | SubmitJob
  | CancelJob
  | PlaceGang
  | StartGang
  | ReportPart;

/** The first command of a mesh: its identity, and the authority that signs its certificates. */
export interface InitialiseMesh {
  readonly kind: "initialiseMesh";
  readonly at: number;
  readonly meshId: string;
  readonly authority: { readonly certificatePem: string; readonly privateKeyPem: string };
  /** The daemon that made the mesh; it becomes node number 1. */
  readonly founder: NodeId;
}

export interface AddJoinToken {
  readonly kind: "addJoinToken";
  readonly at: number;
  readonly id: string;
  /** SHA-256 of the secret, base64url. */
  readonly secretHash: string;
  readonly expiresAt: number;
}

/** A daemon showed a join token; the result carries its node number. The same request id gives the same answer. */
export interface AdmitNode {
  readonly kind: "admitNode";
  readonly at: number;
  readonly requestId: string;
  readonly node: NodeId;
  readonly tokenId: string;
  readonly secretHash: string;
}

/** Changes what people may set of a mesh. */
export interface ConfigureMesh {
  readonly kind: "configureMesh";
  readonly at: number;
  readonly requestId: string;
  /** A voter that has been lost for so long is replaced. */
  readonly voterReplaceAfterMs: number;
}

/**
 * A majority of the voters is lost for good, and one member goes on alone with what it holds. Not proposed: it is written
 * into the log of that member while its daemon does not run.
 */
export interface RecoverMesh {
  readonly kind: "recoverMesh";
  readonly at: number;
  readonly survivor: NodeId;
  /** The numbers of all other members. */
  readonly leftBehind: readonly number[];
}

/** Says whether a node is wanted as a voter. */
export interface SetVote {
  readonly kind: "setVote";
  readonly at: number;
  readonly requestId: string;
  readonly node: NodeId;
  readonly vote: VoteWish;
}

/**
 * A daemon says that it is here. It keeps its session when it comes back on the same boot before it was expired;
 * else it gets a new one.
 */
export interface RegisterNode {
  readonly kind: "registerNode";
  readonly at: number;
  readonly facts: NodeFacts;
}

/** The leader proved that the session's ranks are dead. */
export interface ExpireNode {
  readonly kind: "expireNode";
  readonly at: number;
  readonly node: NodeId;
  readonly session: Session;
  readonly reason: string;
}

export interface SubmitJob {
  readonly kind: "submitJob";
  readonly at: number;
  readonly requestId: string;
  readonly spec: JobSpec;
  readonly submittedBy: string;
}

export interface CancelJob {
  readonly kind: "cancelJob";
  readonly at: number;
  readonly requestId: string;
  readonly job: JobId;
  readonly by: string;
}

/** One node of a planned gang, with the facts that the plan rests on. */
export interface PlannedPart {
  readonly node: NodeId;
  readonly session: Session;
  readonly placeable: number;
  readonly gpus: readonly string[];
  readonly slots: number;
}

/** A whole gang or nothing: refused whole if one named fact no longer holds. Its raft index becomes the fence. */
export interface PlaceGang {
  readonly kind: "placeGang";
  readonly at: number;
  readonly job: JobId;
  /** The attempt that this placement begins: one more than the job's newest. */
  readonly attempt: number;
  readonly parts: readonly PlannedPart[];
  readonly launch: LaunchChoice;
}

/** Every part is prepared: the ranks may start. */
export interface StartGang {
  readonly kind: "startGang";
  readonly at: number;
  readonly job: JobId;
  readonly attempt: number;
}

export interface ReportPart {
  readonly kind: "reportPart";
  readonly at: number;
  readonly job: JobId;
  readonly attempt: number;
  readonly fence: Fence;
  readonly node: NodeId;
  readonly report: PartReport;
}

/** What a node says of its part. */
export type PartReport =
  | { readonly kind: "prepared" }
  /** Preparation failed; nothing was started here. */
  | { readonly kind: "refused"; readonly reason: string }
  /** All tasks of the part ended by themselves. */
  | { readonly kind: "exited"; readonly exits: readonly CommandExit[] }
  /** Nothing of the attempt runs here any more, and its tombstone is on disk. */
  | { readonly kind: "stopped"; readonly exits: readonly CommandExit[] };

/** What applying a command gave back. A refusal changes nothing. */
export type ApplyResult =
  | { readonly kind: "applied" }
  | { readonly kind: "job"; readonly job: JobId }
  | { readonly kind: "node"; readonly number: number; readonly session: Session }
  | { readonly kind: "refused"; readonly code: RefusalCode; readonly reason: string };

export type RefusalCode =
  /** The named fact changed since it was read: read again, then decide again. */
  "stale" | "not-found" | "already-exists" | "not-permitted" | "impossible";
