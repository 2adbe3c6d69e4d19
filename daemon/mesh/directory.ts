/** What a member is to consensus. Most daemons of a large mesh are clients. */
export const RAFT_ROLES = ["voter", "learner", "client"] as const;
export type RaftRole = (typeof RAFT_ROLES)[number];

/** One daemon of the mesh as all others know it. */
export interface Member {
  readonly name: string;
  /** Its number in raft; never reused. */
  readonly number: number;
  /** `host:port`; empty until it has registered for the first time. */
  readonly address: string;
  readonly raftRole: RaftRole;
}

/**
 * Who is in the mesh, as last told by a leader. Every daemon keeps it on disk, so that it finds the mesh again after
 * a restart even when all addresses it was configured with are gone.
 */
export class Directory {
  readonly meshId: string;
  #members: readonly Member[];
  readonly #listeners = new Set<() => void>();

  constructor(meshId: string, members: readonly Member[]) {
    this.meshId = meshId;
    this.#members = members;
  }

  members(): readonly Member[] {
    return this.#members;
  }

  byName(name: string): Member | undefined {
    return this.#members.find((member) => member.name === name);
  }

  byNumber(number: number): Member | undefined {
    return this.#members.find((member) => member.number === number);
  }

  /** Replaces the members; listeners hear of it only when something changed. */
  replace(members: readonly Member[]): void {
    const sorted = members.toSorted((a, b) => a.number - b.number);
    if (JSON.stringify(sorted) === JSON.stringify(this.#members)) return;
    this.#members = sorted;
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
