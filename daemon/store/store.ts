import type { ApplyResult, Command } from "../../scheduler/model/command.ts";
import type { StateView } from "../../scheduler/state/state.ts";
import type { MemberChange, MemberProgress, Members } from "../voters/members.ts";

export type { MemberChange, MemberProgress, Members } from "../voters/members.ts";

/**
 * The replicated state as the rest of the daemon uses it: every change is a proposed command, every read is of the
 * newest state applied here. `store-contract.ts` says what each implementation must do.
 */
export interface Store {
  /**
   * Resolves once the command is committed by a majority and applied here. Rejects with a StoreError; after
   * `unknown-outcome` (also given when `timeoutMs` passes) the command may still be applied, at any later time.
   */
  propose(command: Command, options?: { readonly timeoutMs?: number }): Promise<ApplyResult>;
  /** The newest state applied here: a live view, that later commands change. It may lag behind the leader's. */
  view(): StateView;
  /** Afterwards `view()` shows everything that was acknowledged anywhere before the call. Rejects with `unavailable`. */
  readBarrier(timeoutMs?: number): Promise<void>;
  /** Calls after commands were applied, once for several; never from within an apply. Returns the way to end it. */
  watch(listener: () => void): () => void;
  leadership(): Leadership;
  /** Calls on every change of `leadership()`. Returns the way to end it. */
  onLeadership(listener: (leadership: Leadership) => void): () => void;
  /** The raft members by number, as applied here. */
  members(): Members;
  /**
   * Changes the members, all changes at once; resolves once the change is applied here. Several at once go through a
   * joint membership, which is left by itself later. Rejects with a StoreError: `unavailable` while another change is
   * under way, `impossible` where no voter would be left.
   */
  changeMembers(changes: readonly MemberChange[], options?: { readonly timeoutMs?: number }): Promise<void>;
  /**
   * Lets another voter lead: the one named, else the one that has most of the log. Resolves when another one leads; with
   * false when nothing came of it within an election timeout, or this daemon does not lead.
   */
  handOver(to?: number): Promise<boolean>;
  /** What is known of each member; empty unless this daemon leads. */
  memberProgress(): ReadonlyMap<number, MemberProgress>;
  /** The index of the last entry in this daemon's log. */
  lastIndex(): number;
}

export interface Leadership {
  /** This daemon leads, and has applied everything that was committed before its term. */
  readonly leads: boolean;
  readonly term: number;
  /** The leader's number, where one is known. */
  readonly leader: number | null;
}

/**
 * `not-leader`: ask the named leader. `unavailable`: nothing was done, so try again. `unknown-outcome`: it may yet be
 * done; retry with the same request id. `too-large`, `impossible`: never as asked.
 */
export type StoreErrorCode = "not-leader" | "unavailable" | "unknown-outcome" | "too-large" | "impossible";

export class StoreError extends Error {
  readonly code: StoreErrorCode;
  /** The leader's number, where one is known. */
  readonly leader: number | null;

  constructor(code: StoreErrorCode, message: string, leader: number | null = null) {
    super(message);
    this.name = "StoreError";
    this.code = code;
    this.leader = leader;
  }
}

/** The longest command, as JSON in UTF-8. */
export const COMMAND_BYTES_MAX = 1024 * 1024;
export const PROPOSE_TIMEOUT_MS = 10_000;
export const READ_TIMEOUT_MS = 5_000;

/** The command as it stands in the log. Throws a StoreError `too-large`. */
export function encodeCommand(command: Command): Buffer {
  const bytes = Buffer.from(JSON.stringify(command), "utf8");
  if (bytes.length <= COMMAND_BYTES_MAX) return bytes;
  throw new StoreError(
    "too-large",
    `the ${command.kind} command takes ${bytes.length} bytes; at most ${COMMAND_BYTES_MAX} fit: make it smaller`,
  );
}

/** Reads what `encodeCommand` wrote. What stands in the log was checked before it was proposed. */
export function decodeCommand(bytes: Uint8Array): Command {
  return JSON.parse(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"),
  ) as Command;
}
