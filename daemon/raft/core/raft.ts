import type { Logger, ResolvedConfig } from "./config.ts";
import { EMPTY_BYTES, NO_NODE, isEmptyHardState, nodeName } from "./entry.ts";
import type { HardState, NodeNumber } from "./entry.ts";
import { invariant } from "./errors.ts";
import { RaftLog } from "./log.ts";
import { message } from "./message.ts";
import type { Message } from "./message.ts";
import { ReadIndexQueue } from "./read-index.ts";
import type { RaftState, ReadState, SoftState } from "./ready.ts";
import { appendEntries } from "./replication.ts";
import { restoreConfState } from "./membership.ts";
import { step } from "./step.ts";
import { Tracker } from "./tracker/tracker.ts";

/**
 * The state of one member, with the only doors through which its role and term change. What a message does to it is in
 * `step.ts` and the files that it names.
 */
export class Raft {
  readonly id: NodeNumber;
  /** How log lines call this node. */
  readonly name: string;
  readonly config: ResolvedConfig;
  readonly logger: Logger;
  readonly log: RaftLog;
  readonly tracker: Tracker;
  readonly reads = new ReadIndexQueue();

  #state: RaftState = "StateFollower";
  #term = 0;
  vote: NodeNumber = NO_NODE;
  lead: NodeNumber = NO_NODE;
  /** The node that leadership is being transferred to; proposals are dropped meanwhile. */
  leadTransferee: NodeNumber = NO_NODE;
  /** Only one configuration change may be unapplied: the index up to which there may be one, or before. */
  pendingConfIndex = 0;
  /** An estimate of the bytes of commands in the uncommitted tail of a leader's log. */
  uncommittedBytes = 0;

  /** Ticks since a message of the leader came; on a leader, since the quorum was last checked. */
  electionElapsed = 0;
  #heartbeatElapsed = 0;
  #randomizedElectionTicks = 0;

  /** To be sent at once. */
  messages: Message[] = [];
  /** To be sent when everything that is unstable now has become durable: they promise what is not yet on disk. */
  messagesAfterAppend: Message[] = [];
  readStates: ReadState[] = [];

  constructor(config: ResolvedConfig) {
    this.id = config.id;
    this.name = nodeName(config.id);
    this.config = config;
    this.logger = config.logger;
    this.log = new RaftLog(config);
    this.tracker = new Tracker(config);
    const { hardState, confState } = config.storage.initialState();
    restoreConfState(this, confState);
    if (!isEmptyHardState(hardState)) this.#loadState(hardState);
    // What is applied or in a snapshot was committed, also when the stored commit index is older: its write may have been
    // lost, for raft does not need it to be durable.
    this.log.commitTo(config.applied);
    if (config.applied > 0) this.log.appliedTo(config.applied, 0);
    this.becomeFollower(this.#term, NO_NODE);
    const { log } = this;
    const { term, index } = log.lastEntryId();
    this.logger.info(
      `newRaft ${this.name} [peers: [${this.tracker.voterIds().map(nodeName).join(",")}], term: ${this.#term}, ` +
        `commit: ${log.committed}, applied: ${log.applied}, lastindex: ${index}, lastterm: ${term}]`,
    );
  }

  get state(): RaftState {
    return this.#state;
  }

  get term(): number {
    return this.#term;
  }

  softState(): SoftState {
    return { lead: this.lead, raftState: this.#state };
  }

  hardState(): HardState {
    return { term: this.#term, vote: this.vote, commit: this.log.committed };
  }

  becomeFollower(term: number, lead: NodeNumber): void {
    this.#reset(term);
    this.lead = lead;
    this.#state = "StateFollower";
    this.logger.info(`${this.name} became follower at term ${this.#term}`);
  }

  /** Changes neither term nor vote: a pre-candidate has promised nothing, and may come back to its leader. */
  becomePreCandidate(): void {
    invariant(this.#state !== "StateLeader", () => "invalid transition [leader -> pre-candidate]");
    this.tracker.resetVotes();
    this.lead = NO_NODE;
    this.#state = "StatePreCandidate";
    this.logger.info(`${this.name} became pre-candidate at term ${this.#term}`);
  }

  becomeCandidate(): void {
    invariant(this.#state !== "StateLeader", () => "invalid transition [leader -> candidate]");
    this.#reset(this.#term + 1);
    this.vote = this.id;
    this.#state = "StateCandidate";
    this.logger.info(`${this.name} became candidate at term ${this.#term}`);
  }

  /** Opens the term with an empty entry, for only an entry of its own term lets a leader commit those before. */
  becomeLeader(): void {
    invariant(this.#state !== "StateFollower", () => "invalid transition [follower -> leader]");
    this.#reset(this.#term);
    this.lead = this.id;
    this.#state = "StateLeader";
    const self = this.tracker.progress.get(this.id);
    invariant(self !== undefined, () => `${this.name} was elected and is not a member`);
    // A leader follows itself, and is always in touch with itself.
    self.becomeReplicate();
    self.recentActive = true;
    // The log may end with configuration changes of former leaders: none of its own until all of that is applied.
    this.pendingConfIndex = this.log.lastIndex();
    const appended = appendEntries(this, [{ type: "EntryNormal", data: EMPTY_BYTES }]);
    invariant(appended, () => "empty entry was dropped");
    this.logger.info(`${this.name} became leader at term ${this.#term}`);
  }

  step(m: Message): void {
    step(this, m);
  }

  tick(): void {
    if (this.#state === "StateLeader") this.#tickLeader();
    else this.#tickFollower();
  }

  /** Whether this node may become leader: it is a voter, and has no snapshot to store first. */
  get promotable(): boolean {
    const self = this.tracker.progress.get(this.id);
    return self !== undefined && !self.isLearner && !this.log.hasNextOrInProgressSnapshot();
  }

  get isLearner(): boolean {
    return this.tracker.progress.get(this.id)?.isLearner ?? false;
  }

  setRandomizedElectionTicks(ticks: number): void {
    this.#randomizedElectionTicks = ticks;
  }

  #tickFollower(): void {
    this.electionElapsed += 1;
    if (!this.promotable || this.electionElapsed < this.#randomizedElectionTicks) return;
    this.electionElapsed = 0;
    this.step(message({ type: "MsgHup", to: NO_NODE, from: this.id }));
  }

  #tickLeader(): void {
    this.#heartbeatElapsed += 1;
    this.electionElapsed += 1;
    if (this.electionElapsed >= this.config.electionTick) {
      this.electionElapsed = 0;
      if (this.config.checkQuorum) this.step(message({ type: "MsgCheckQuorum", to: NO_NODE, from: this.id }));
      // A transfer that takes longer than an election has failed: take proposals again.
      if (this.#state === "StateLeader") this.leadTransferee = NO_NODE;
    }
    if (this.#state !== "StateLeader" || this.#heartbeatElapsed < this.config.heartbeatTick) return;
    this.#heartbeatElapsed = 0;
    this.step(message({ type: "MsgBeat", to: NO_NODE, from: this.id }));
  }

  #reset(term: number): void {
    if (this.#term !== term) {
      this.#term = term;
      this.vote = NO_NODE;
    }
    this.lead = NO_NODE;
    this.electionElapsed = 0;
    this.#heartbeatElapsed = 0;
    this.#randomizedElectionTicks = this.config.randomizedElectionTicks(this.config.electionTick);
    this.leadTransferee = NO_NODE;
    this.tracker.resetVotes();
    this.tracker.resetProgress(this.log.lastIndex(), this.id);
    this.pendingConfIndex = 0;
    this.uncommittedBytes = 0;
    this.reads.reset();
  }

  #loadState({ term, vote, commit }: HardState): void {
    const last = this.log.lastIndex();
    invariant(
      commit <= last,
      () => `${this.name} state.commit ${commit} is out of range [${this.log.committed}, ${last}]`,
    );
    this.log.commitTo(commit);
    this.#term = term;
    this.vote = vote;
  }
}
