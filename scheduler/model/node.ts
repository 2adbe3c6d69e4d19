import type { Inventory, NetworkInterface } from "./inventory.ts";
import type { NodeId, PoolId, Session } from "./ids.ts";

/** What a daemon says of itself when it registers. */
export interface NodeFacts {
  readonly id: NodeId;
  /** Where other daemons reach it: `host:port`. */
  readonly address: string;
  /** The interface that carries the advertised address; null when none was found. */
  readonly network: NetworkInterface | null;
  readonly pool: PoolId;
  /** True for a VM that its provider may take away. */
  readonly spot: boolean;
  /** What fails together: machines of one rack, zone or power feed name the same one. Null where nobody said. */
  readonly failureDomain: string | null;
  /** Changes with every boot of the machine: a new one proves that all processes of the old boot are dead. */
  readonly bootId: string;
  readonly version: string;
  readonly inventory: Inventory;
}

/** Each variant carries just the data of that state. "Idle" and "busy" are derived from the allocations. */
export type NodeState =
  /** Admitted to the mesh with a certificate; its daemon has not registered yet. */
  | { readonly kind: "joining"; readonly since: number }
  | { readonly kind: "ready"; readonly since: number }
  | { readonly kind: "lost"; readonly since: number; readonly reason: string };

/**
 * What people want of a node as a voter. `automatic`: the mesh decides. `preferred`: it votes before all others that can.
 * `barred`: it does not vote, unless nobody can take its place.
 */
export type VoteWish = "automatic" | "preferred" | "barred";

export interface NodeRecord {
  readonly id: NodeId;
  /** The node's number as a raft voter; never reused. */
  readonly number: number;
  readonly session: Session;
  /**
   * Raised by what may forbid a placement (loss, changed capacity, pool or address); never by use or by freed
   * capacity. A placement planned on an older value is refused at commit.
   */
  readonly placeable: number;
  readonly vote: VoteWish;
  /**
   * When the mesh was recovered without this member (Unix ms), else null. What its data folder holds is another history,
   * so it never comes back under its name.
   */
  readonly leftBehindAt: number | null;
  readonly state: NodeState;
  /** Null until the daemon has registered for the first time. */
  readonly facts: NodeFacts | null;
}
