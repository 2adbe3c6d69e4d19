import type { ApplyResult, Command } from "../../scheduler/model/command.ts";
import { apply } from "../../scheduler/state/apply.ts";
import { createState } from "../../scheduler/state/state.ts";
import type { State, StateView } from "../../scheduler/state/state.ts";
import { Listeners } from "./listeners.ts";
import { decodeCommand, encodeCommand, StoreError } from "./store.ts";
import type { Leadership, MemberChange, MemberProgress, Members, Store } from "./store.ts";

/**
 * A store of one process, without disk or network: it keeps the contract of `Store`, so what works on it works on raft.
 * A test may take its leadership away.
 */
export class MemoryStore implements Store {
  readonly #state: State = createState();
  readonly #watchers = new Listeners<[]>();
  readonly #leadershipListeners = new Listeners<[Leadership]>();
  #leadership: Leadership = { leads: true, term: 1, leader: 1 };
  #members: Members = { voters: [1], learners: [], joint: false };
  // A new leader's log begins with an empty entry.
  #lastIndex = 1;
  #notifying = false;

  async propose(command: Command): Promise<ApplyResult> {
    this.#checkLeads();
    // What is applied is what a log would give back, not what the caller still holds in its hands.
    const entry = encodeCommand(command);
    await nextTurn();
    this.#checkLeads();
    const result = apply(this.#state, decodeCommand(entry), ++this.#lastIndex);
    this.#notifyLater();
    return result;
  }

  view(): StateView {
    return this.#state;
  }

  async readBarrier(): Promise<void> {
    await nextTurn();
    if (this.#leadership.leader === null)
      throw new StoreError("unavailable", "no leader is known; try again");
  }

  watch(listener: () => void): () => void {
    return this.#watchers.add(listener);
  }

  leadership(): Leadership {
    return this.#leadership;
  }

  onLeadership(listener: (leadership: Leadership) => void): () => void {
    return this.#leadershipListeners.add(listener);
  }

  /** Stages an election: this store leads from now on, or the given member does, or nobody. */
  setLeader(leader: number | null): void {
    this.#leadership = { leads: leader === 1, term: this.#leadership.term + 1, leader };
    this.#leadershipListeners.notify(this.#leadership);
  }

  members(): Members {
    return this.#members;
  }

  async changeMembers(changes: readonly MemberChange[]): Promise<void> {
    this.#checkLeads();
    await nextTurn();
    this.#checkLeads();
    const voters = new Set(this.#members.voters);
    const learners = new Set(this.#members.learners);
    for (const { kind, member } of changes) {
      voters.delete(member);
      learners.delete(member);
      if (kind === "addVoter") voters.add(member);
      if (kind === "addLearner") learners.add(member);
    }
    this.#lastIndex++;
    if (voters.size === 0) throw new StoreError("impossible", "the membership stays: no voter would be left");
    const ascending = (members: ReadonlySet<number>): number[] => [...members].toSorted((a, b) => a - b);
    this.#members = { voters: ascending(voters), learners: ascending(learners), joint: false };
    this.#notifyLater();
  }

  async handOver(to?: number): Promise<boolean> {
    await nextTurn();
    const { leads, leader } = this.#leadership;
    const heir = to ?? this.#members.voters.find((voter) => voter !== leader);
    if (!leads || heir === undefined || heir === leader || !this.#members.voters.includes(heir)) return false;
    this.setLeader(heir);
    return true;
  }

  memberProgress(): ReadonlyMap<number, MemberProgress> {
    if (!this.#leadership.leads) return new Map();
    const { voters, learners } = this.#members;
    return new Map(
      [...voters, ...learners].map((member) => [member, { match: this.#lastIndex, silentMs: 0 }]),
    );
  }

  lastIndex(): number {
    return this.#lastIndex;
  }

  #checkLeads(): void {
    const { leads, leader } = this.#leadership;
    if (!leads) throw new StoreError("not-leader", `this daemon does not lead; ${whoLeads(leader)}`, leader);
  }

  #notifyLater(): void {
    if (this.#notifying) return;
    this.#notifying = true;
    setImmediate(() => {
      this.#notifying = false;
      this.#watchers.notify();
    });
  }
}

function whoLeads(leader: number | null): string {
  return leader === null ? "no leader is known yet: try again" : `ask member ${leader}`;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
