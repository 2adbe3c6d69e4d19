import type { ApplyResult, Command } from "../../scheduler/model/command.ts";
import type { StateView } from "../../scheduler/state/state.ts";
import { RaftDriver } from "../raft/driver.ts";
import { DriverError } from "../raft/driver-error.ts";
import type { DriverErrorCode } from "../raft/driver-error.ts";
import type { DriverOptions, MembershipChange } from "../raft/driver-options.ts";
import type { RaftPosition, RaftStatus } from "../raft/driver-status.ts";
import { systemEnvironment } from "../raft/environment.ts";
import type { Environment } from "../raft/environment.ts";
import type { Standing } from "../raft/standing.ts";
import { Listeners } from "./listeners.ts";
import { ReplicatedState } from "./replicated-state.ts";
import { encodeCommand, PROPOSE_TIMEOUT_MS, READ_TIMEOUT_MS, StoreError } from "./store.ts";
import type { Leadership, MemberChange, MemberProgress, Members, Store, StoreErrorCode } from "./store.ts";

/** The store over raft: commands travel as JSON in the log, and every member applies them to a state of its own. */
export class RaftStore implements Store {
  readonly #state: ReplicatedState;
  readonly #driver: RaftDriver;
  readonly #environment: Environment;
  readonly #watchers = new Listeners<[]>();
  readonly #leadershipListeners = new Listeners<[Leadership]>();
  #leadership: Leadership;
  #notifying = false;

  private constructor(state: ReplicatedState, driver: RaftDriver, environment: Environment) {
    this.#state = state;
    this.#driver = driver;
    this.#environment = environment;
    this.#leadership = leadershipOf(driver.standing());
    driver.onApplied(() => this.#notifyLater());
    driver.onStatus((standing) => this.#noteStanding(standing));
  }

  /** Opens the log, restores the state, and applies all that is known to be committed. Rejects with a LogError. */
  static async start(options: Omit<DriverOptions, "machine">): Promise<RaftStore> {
    const state = new ReplicatedState();
    const driver = await RaftDriver.start({ ...options, machine: state });
    return new RaftStore(state, driver, options.environment ?? systemEnvironment);
  }

  async propose(command: Command, options: { readonly timeoutMs?: number } = {}): Promise<ApplyResult> {
    const entry = encodeCommand(command);
    const { timeoutMs = PROPOSE_TIMEOUT_MS } = options;
    const { result } = await this.#within(timeoutMs, "unknown-outcome", this.#driver.propose(entry));
    // Only `apply` makes results of entries.
    return result as ApplyResult;
  }

  view(): StateView {
    return this.#state.view;
  }

  async readBarrier(timeoutMs = READ_TIMEOUT_MS): Promise<void> {
    await this.#within(timeoutMs, "unavailable", this.#driver.readIndex());
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

  members(): Members {
    const { voters, learners, votersOutgoing } = this.#driver.standing().confState;
    return { voters, learners, joint: votersOutgoing.length > 0 };
  }

  async changeMembers(
    changes: readonly MemberChange[],
    options: { readonly timeoutMs?: number } = {},
  ): Promise<void> {
    const { timeoutMs = PROPOSE_TIMEOUT_MS } = options;
    if (changes.length === 0) return;
    const change = { transition: "ConfChangeTransitionAuto", changes: changes.map(toConfChange) } as const;
    await this.#within(timeoutMs, "unknown-outcome", this.#driver.proposeConfChange(change));
  }

  memberProgress(): ReadonlyMap<number, MemberProgress> {
    return this.#driver.progress();
  }

  lastIndex(): number {
    return this.#driver.position().lastIndex;
  }

  /** How far this daemon's raft member is: cheap enough to be asked for after every event. */
  position(): RaftPosition {
    return this.#driver.position();
  }

  /** All that raft knows of itself, for people to look at. */
  raftStatus(): RaftStatus {
    return this.#driver.status();
  }

  handOver(to?: number): Promise<boolean> {
    return this.#driver.handOver(to ?? null);
  }

  async stop(): Promise<void> {
    await this.#driver.stop();
  }

  /** The promise's outcome in the words of the store, or this code when it takes too long. */
  #within<T>(timeoutMs: number, code: StoreErrorCode, promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#environment.after(timeoutMs, () => {
        const { leader } = this.#leadership;
        reject(new StoreError(code, `no answer within ${timeoutMs} ms; ${NEXT_STEP[code]}`, leader));
      });
      promise
        .finally(cancel)
        .then(resolve, (error: unknown) =>
          reject(error instanceof DriverError ? storeErrorOf(error) : error),
        );
    });
  }

  /** Never from within an apply: the listeners may propose. */
  #notifyLater(): void {
    if (this.#notifying) return;
    this.#notifying = true;
    this.#environment.soon(() => {
      this.#notifying = false;
      this.#watchers.notify();
    });
  }

  #noteStanding(standing: Standing): void {
    const before = this.#leadership;
    const now = leadershipOf(standing);
    if (now.leads === before.leads && now.term === before.term && now.leader === before.leader) return;
    this.#leadership = now;
    this.#leadershipListeners.notify(now);
  }
}

const NEXT_STEP: Readonly<Record<StoreErrorCode, string>> = {
  "not-leader": "ask the leader",
  unavailable: "nothing was done: try again",
  "unknown-outcome": "it may yet be done: retry with the same request id",
  "too-large": "make it smaller",
  impossible: "ask for something else",
};

const CODES: Readonly<Record<DriverErrorCode, StoreErrorCode>> = {
  "not-leader": "not-leader",
  dropped: "unavailable",
  "unknown-outcome": "unknown-outcome",
  "too-large": "too-large",
  impossible: "impossible",
};

function storeErrorOf(error: DriverError): StoreError {
  return new StoreError(CODES[error.code], error.message, error.leader);
}

function leadershipOf({ leadsWithAppliedNoop, term, leader }: Standing): Leadership {
  return { leads: leadsWithAppliedNoop, term, leader };
}

function toConfChange({ kind, member }: MemberChange): MembershipChange["changes"][number] {
  switch (kind) {
    case "addVoter":
      return { type: "ConfChangeAddNode", nodeId: member };
    case "addLearner":
      return { type: "ConfChangeAddLearnerNode", nodeId: member };
    case "remove":
      return { type: "ConfChangeRemoveNode", nodeId: member };
  }
}
