import type { ConfState } from "./core/core.ts";
import type { LogLine } from "./driver-options.ts";
import type { Environment } from "./environment.ts";
import { PeerGate } from "./peer-gate.ts";
import { STORE_FAULTS } from "./peer-identity.ts";
import type { PeerRefusal } from "./peer-identity.ts";
import { PeerRefusals } from "./peer-refusals.ts";
import type { RefusalCounts } from "./peer-refusals.ts";
import { LogError } from "./raft-log.ts";
import type { RaftLog } from "./raft-log.ts";
import type { Introduction } from "./transport.ts";

export interface IdentificationOptions {
  readonly id: number;
  readonly meshId: string;
  readonly folder: string;
  readonly log: RaftLog;
  readonly environment: Environment;
  readonly report: LogLine;
  /** How this member stands now. */
  readonly look: () => {
    readonly term: number;
    readonly leads: boolean;
    readonly commit: number;
    readonly confState: ConfState;
    readonly progress: ReadonlyMap<number, { readonly match: number }>;
  };
  /** The mesh refuses this member's store for good: the process must end. */
  readonly onFatal: (error: LogError) => void;
}

/**
 * How a member and its peers know each other: what it says of itself, whom it lets in, and what it does when it is refused.
 *
 * Where only one peer refuses its store, the member can not know who is right: it falls silent towards all, for what it
 * forgot may be known to that peer alone, and goes on asking. The refusal is the mesh's when a leader says so, or so many
 * voters that the others are no quorum with this member: then it says what to do, and ends. It notes that in the log first,
 * for whoever started it again and again would raise its incarnation each time.
 */
export class Identification implements Introduction {
  readonly gate: PeerGate;
  readonly #options: IdentificationOptions;
  readonly #refusals: PeerRefusals;
  readonly #refusedBy = new Map<number, PeerRefusal>();
  #condemned = false;

  constructor(options: IdentificationOptions) {
    const { id, environment, report, log, meshId, look } = options;
    this.#options = options;
    this.#refusals = new PeerRefusals(environment, (line) => report("warn", line));
    this.gate = new PeerGate({
      id,
      meshId,
      place: () => ({ lastIndex: log.lastIndex, term: look().term }),
      identity: log.identity,
      refusals: this.#refusals,
      counted: (member) => {
        const { progress, commit } = look();
        return Math.min(progress.get(member)?.match ?? 0, commit);
      },
      leads: () => look().leads,
    });
  }

  /** What this member has refused, by reason. */
  get counts(): RefusalCounts {
    return this.#refusals.counts;
  }

  /** Peers that refuse this member now, and why. */
  get refusedBy(): ReadonlyMap<number, PeerRefusal> {
    return this.#refusedBy;
  }

  /** A peer holds that this member's store is not what it was: it must neither vote nor lead nor acknowledge. */
  get silent(): boolean {
    if (this.#refusedBy.size === 0) return false;
    const { voters, votersOutgoing, learners } = this.#options.look().confState;
    const members = [...voters, ...votersOutgoing, ...learners];
    for (const [member, { reason }] of this.#refusedBy) {
      const counts = members.length === 0 || members.includes(member);
      if (counts && STORE_FAULTS.includes(reason)) return true;
    }
    return false;
  }

  syncedBatch(): number {
    return this.#options.log.syncedBatch;
  }

  admitted(member: number): void {
    this.#refusedBy.delete(member);
  }

  refused(member: number, refusal: PeerRefusal, byLeader: boolean): void {
    const before = this.#refusedBy.get(member);
    this.#refusedBy.set(member, refusal);
    const { reason, details } = refusal;
    if (before?.reason !== reason) {
      this.#options.report("warn", `member ${member} refuses this member: ${details}`);
    }
    if (this.#condemned || !STORE_FAULTS.includes(reason)) return;
    if (byLeader || this.#noQuorumIsLeft()) this.#condemn(details);
  }

  stop(): void {
    this.#refusals.stop();
  }

  #noQuorumIsLeft(): boolean {
    const { voters, votersOutgoing } = this.#options.look().confState;
    return [voters, votersOutgoing].some((half) => {
      const left = half.filter((voter) => !this.#refusesStore(voter)).length;
      return half.length > 0 && left <= half.length / 2;
    });
  }

  #refusesStore(member: number): boolean {
    const reason = this.#refusedBy.get(member)?.reason;
    return reason !== undefined && STORE_FAULTS.includes(reason);
  }

  #condemn(details: string): void {
    this.#condemned = true;
    const { folder, log, onFatal } = this.#options;
    const message =
      `the mesh refuses the raft log in ${folder}: ${details}. This data folder is a copy, or was put back to an older ` +
      "state, and its daemon has forgotten what it promised. Remove this daemon from the mesh, delete its data folder, " +
      "and join anew: gpumesh join TOKEN";
    const end = (): void => onFatal(new LogError("refused", message));
    // A log that can not be written has ended the process by itself.
    log.identity.condemn(message).then(end, () => {});
  }
}
