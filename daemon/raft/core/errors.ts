/**
 * Why the core refused:
 * - `proposal-dropped`: no leader, no forwarding, a leader transfer in progress, the limit of uncommitted data reached,
 *   or a leader that is no longer a member. Propose again later, or to the leader.
 * - `step-local-msg`: a message of a type that never travels came from a peer.
 * - `step-peer-not-found`: a response came from a node that is not a member (any more).
 * - `config-invalid`: a limit or a timeout of the configuration contradicts another.
 * - `conf-change-invalid`: a configuration change does not fit the current membership.
 * - `compacted`, `unavailable`, `snapshot-out-of-date`: the storage holds no longer, or not yet, what was asked for.
 */
export type RaftErrorCode =
  | "proposal-dropped"
  | "step-local-msg"
  | "step-peer-not-found"
  | "config-invalid"
  | "conf-change-invalid"
  | "compacted"
  | "unavailable"
  | "snapshot-out-of-date";

const DEFAULT_TEXTS: Readonly<Partial<Record<RaftErrorCode, string>>> = {
  "proposal-dropped": "raft proposal dropped",
  "step-local-msg": "raft: cannot step raft local message",
  "step-peer-not-found": "raft: cannot step as peer not found",
  compacted: "requested index is unavailable due to compaction",
  unavailable: "requested entry at index is unavailable",
  "snapshot-out-of-date": "requested index is older than the existing snapshot",
};

/** A refusal that the caller can expect and handle. A broken invariant is a plain `Error` instead. */
export class RaftError extends Error {
  readonly code: RaftErrorCode;

  constructor(code: RaftErrorCode, text: string = DEFAULT_TEXTS[code] ?? code) {
    super(text);
    this.name = "RaftError";
    this.code = code;
  }
}

/** Throws when an invariant of the protocol or of the caller's contract is broken: the process must not go on. */
export function invariant(holds: boolean, text: () => string): asserts holds {
  if (!holds) throw new Error(text());
}
