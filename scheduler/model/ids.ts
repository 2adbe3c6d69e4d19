/** Branded ids: a value of one kind can not be passed where another is meant. */
declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** A job's number: 1, 2, 3, ... in order of acceptance; never reused. */
export type JobId = Branded<number, "JobId">;
/** A node's name: a DNS label, unique in the mesh. */
export type NodeId = Branded<string, "NodeId">;
/** A pool's name. */
export type PoolId = Branded<string, "PoolId">;
/**
 * One unbroken presence of a node in the mesh: the raft index of the registration that opened it.
 * A node that was lost comes back with a new session, so nothing meant for the old one can reach it.
 */
export type Session = Branded<number, "Session">;

export const jobId = (value: number): JobId => value as JobId;
export const nodeId = (value: string): NodeId => value as NodeId;
export const poolId = (value: string): PoolId => value as PoolId;
export const session = (value: number): Session => value as Session;

/** The pool of nodes that name none. */
export const DEFAULT_POOL = poolId("default");
