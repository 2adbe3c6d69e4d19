import { bootstrapBatch } from "./bootstrap.ts";
import { NO_NODE } from "./core/core.ts";
import type { ConfState, MessageType } from "./core/core.ts";
import * as config from "./core-config.ts";
import { DriverError } from "./driver-error.ts";
import type { DriverOptions, MembershipChange } from "./driver-options.ts";
import type { MemberProgress, RaftPosition, RaftStatus } from "./driver-status.ts";
import { systemEnvironment } from "./environment.ts";
import type { Environment } from "./environment.ts";
import { FailoverHint } from "./failover-hint.ts";
import { Identification } from "./identification.ts";
import { handOver, heirsOf } from "./hand-over.ts";
import { LevelLog } from "./level-log.ts";
import { Proposals } from "./proposals.ts";
import type { Applied } from "./proposals.ts";
import { RaftLoop } from "./raft-loop.ts";
import { DEFAULT_LIMITS } from "./raft-limits.ts";
import type { RaftLimits } from "./raft-limits.ts";
import type { RaftLog } from "./raft-log.ts";
import { READ_NONCE_BYTES, ReadRounds } from "./read-rounds.ts";
import { ended, mute, notLeader, unknownOutcome } from "./refusals.ts";
import { SnapshotHolds } from "./snapshot-holds.ts";
import { SnapshotReceiver } from "./snapshot-receiver.ts";
import { SnapshotSender } from "./snapshot-sender.ts";
import { ROLES } from "./standing.ts";
import type { Standing } from "./standing.ts";

/** What only a leader sends. */
const LEADERS_WORDS: ReadonlySet<MessageType> = new Set(["MsgApp", "MsgHeartbeat", "MsgSnap"]);

/** One member of the raft group: its durable log, its part in elections, and what it may be asked. */
export class RaftDriver {
  readonly #options: DriverOptions;
  readonly #environment: Environment;
  readonly #limits: RaftLimits;
  readonly #log: RaftLog;
  readonly #loop: RaftLoop;
  readonly #sender: SnapshotSender;
  readonly #receiver: SnapshotReceiver;
  readonly #proposals: Proposals;
  readonly #reads: ReadRounds;
  readonly #identification: Identification;
  readonly #failover: FailoverHint;
  readonly #appliedListeners = new Set<(index: number) => void>();
  #phase: "replaying" | "running" | "ended" = "replaying";
  #failure: Error | null = null;
  #stopTicks: () => void = () => {};
  #stopReminding: () => void = () => {};
  #changingMembers = false;
  #ticks = 0;
  /** When each member was last heard of, in ticks. */
  readonly #heardAtTick = new Map<number, number>();

  private constructor(options: DriverOptions, log: RaftLog) {
    const timing = options.timing ?? config.DEFAULT_TIMING;
    this.#limits = options.limits ?? DEFAULT_LIMITS;
    this.#options = options;
    this.#environment = options.environment ?? systemEnvironment;
    this.#log = log;
    this.#proposals = new Proposals(this.#environment.randomBytes(8));
    this.#reads = new ReadRounds({
      askAgainTicks: timing.electionTicks,
      waitTicksMax: config.READ_ELECTIONS_MAX * timing.electionTicks,
      nonce: this.#environment.randomBytes(READ_NONCE_BYTES),
    });
    const { id, meshId, folder, report = () => {} } = options;
    this.#identification = new Identification({
      id,
      meshId,
      folder,
      log,
      environment: this.#environment,
      report,
      look: () => {
        const { term, role, confState } = this.#loop.board.standing;
        return { term, leads: role === "leader", confState, ...this.#loop.replication() };
      },
      onFatal: (error) => this.#fail(error),
    });
    const holds = new SnapshotHolds({
      matchOf: (member) => this.#loop.replication().progress.get(member)?.match ?? null,
      applied: () => this.#loop.applied,
    });
    this.#loop = new RaftLoop({
      id: options.id,
      log,
      timing,
      limits: this.#limits,
      environment: this.#environment,
      proposals: this.#proposals,
      reads: this.#reads,
      send: (messages) => {
        if (messages.some(({ type, reject }) => type === "MsgPreVoteResp" && !reject))
          this.#failover.gaveWay();
        options.transport.send(messages);
      },
      sendSnapshot: (message) => this.#sender.send(message),
      machine: options.machine,
      compaction: options.compaction ?? config.DEFAULT_COMPACTION,
      heldFrom: () => holds.heldFrom(),
      onApplied: (index) => {
        for (const listener of this.#appliedListeners) listener(index);
      },
      onFatal: (error) => this.#fail(error),
      silent: () => this.#identification.silent,
      report,
    });
    this.#failover = new FailoverHint({
      id: options.id,
      environment: this.#environment,
      look: () => {
        const { role, term, leader, confState } = this.status();
        return { role, term, leader, voters: [...confState.voters, ...confState.votersOutgoing] };
      },
      forgetLeader: () => this.#loop.forgetLeader(),
      campaign: () => this.#loop.campaign(),
    });
    this.#sender = new SnapshotSender({
      log,
      chunkBytesMax: this.#limits.snapshotChunkBytesMax,
      retry: config.SNAPSHOT_RETRY,
      environment: this.#environment,
      transfer: (transfer) => options.transport.sendSnapshot(transfer),
      holds,
      report,
      onSent: (member, taken) => this.#loop.reportSnapshot(member, taken),
    });
    this.#receiver = new SnapshotReceiver({
      log,
      machine: options.machine,
      install: (message, snapshot) => this.#phase === "running" && this.#loop.install(message, snapshot),
    });
  }

  /**
   * Opens the log, restores the state from its records, applies what else is known to be committed, and takes part.
   * Rejects with a LogError, or with what the state machine threw.
   */
  static async start(options: DriverOptions): Promise<RaftDriver> {
    // Until the member runs, a failure is what this call rejects with.
    let onFatal: (error: Error) => void = () => {};
    const openLog = async (): Promise<RaftLog> => {
      const restoration = options.machine.restore();
      const openOptions = {
        onFatal: (error: Error) => onFatal(error),
        onRecord: (key: string, value: Uint8Array) => restoration.put(key, value),
        randomBytes: (length: number) => (options.environment ?? systemEnvironment).randomBytes(length),
      };
      const open = options.openLog ?? LevelLog.open.bind(LevelLog);
      const log = await open(options.folder, openOptions);
      restoration.finish();
      return log;
    };
    let log = await openLog();
    if (options.bootstrap !== null && log.lastIndex === 0 && log.recovered.hardState.term === 0) {
      await log.append(bootstrapBatch(options.bootstrap.voters));
      await log.close();
      log = await openLog();
    }
    const driver = new RaftDriver(options, log);
    onFatal = (error) => driver.#fail(error);
    await driver.#replay();
    driver.#run();
    return driver;
  }

  /**
   * Puts `data` into the log; resolves when it is applied here. Rejects with a DriverError; after `unknown-outcome` it
   * may still be applied, by this member and all others.
   */
  propose(data: Uint8Array): Promise<Applied> {
    const refusal = this.#refusalOfProposal(data.length);
    if (refusal !== null) return Promise.reject(refusal);
    this.#loop.schedule();
    return this.#proposals.add(data);
  }

  /**
   * Changes the membership; resolves with the new one when it is applied here. One change at a time, and only by a
   * leader that has applied its own first entry: else it rejects as `dropped`.
   */
  async proposeConfChange(change: MembershipChange): Promise<ConfState> {
    const refusal = this.#refusalOfProposal(0) ?? this.#refusalOfConfChange();
    if (refusal !== null) throw refusal;
    const { number, id, applied } = this.#proposals.addNow(this.#loop.board.standing.term);
    this.#changingMembers = true;
    const refused = this.#loop.proposeConfChange({ kind: "v2", ...change, context: id });
    if (refused !== null) {
      this.#proposals.reject(
        number,
        new DriverError("dropped", `the membership was not changed: ${refused.message}`),
      );
    }
    try {
      // What applying a membership change gives back is the membership.
      return (await applied).result as ConfState;
    } finally {
      this.#changingMembers = false;
    }
  }

  /**
   * Resolves with an index at or after everything that was committed before the call, once it is applied here: a read
   * of the applied state is linearizable then. Any member may ask. Rejects with a DriverError `dropped`.
   */
  readIndex(): Promise<number> {
    if (this.#phase !== "running") return Promise.reject(ended());
    const { readersMax } = this.#limits;
    if (this.#reads.size >= readersMax) {
      return Promise.reject(
        new DriverError("dropped", `${readersMax} readers wait already; try again later`),
      );
    }
    this.#loop.schedule();
    return this.#reads.add();
  }

  /** Asks a voter to take over; nothing happens where it can not. */
  transferLeadership(to: number): void {
    if (this.#phase === "running") this.#loop.transferLeadership(to);
  }

  /**
   * Lets another voter lead: the one named, else whoever can; of these those first that answer, and who has most of the log.
   * Each gets an election timeout. Resolves when another one leads, and with false when nothing comes of it. Before an end
   * that is planned it saves the others from finding out by silence that their leader is gone.
   */
  async handOver(to: number | null = null): Promise<boolean> {
    const { voters, id } = this.status();
    const asked = voters.filter((voter) => (to === null ? voter !== id : voter === to));
    return handOver(heirsOf(asked, this.progress(), this.#electionTimeoutMs), {
      leads: () => this.#phase === "running" && this.status().role === "leader",
      ask: (heir) => this.transferLeadership(heir),
      onStatus: (listener) => this.onStatus(({ leader }) => listener(leader !== null && leader !== id)),
      after: (ms, action) => this.#environment.after(ms, action),
      waitMs: this.#electionTimeoutMs,
    });
  }

  /** Cheap enough to be asked for after every event. */
  position(): RaftPosition {
    // All of it from the core, at one moment: the standing is that of the last turn.
    const { raftState, term, lead, commit } = this.#loop.coreStatus();
    return {
      id: this.#options.id,
      role: ROLES[raftState],
      term,
      leader: lead === NO_NODE ? null : lead,
      commit,
      applied: this.#loop.applied,
      lastIndex: this.#loop.lastIndex,
      confState: this.#loop.board.standing.confState,
    };
  }

  status(): RaftStatus {
    const position = this.position();
    const { voters, learners } = position.confState;
    const { counts: refusals, refusedBy } = this.#identification;
    return { ...position, voters, learners, refusals, refusedBy };
  }

  /** What is known of the members' logs, this one's included; empty unless this member leads. */
  progress(): ReadonlyMap<number, MemberProgress> {
    const { tickMs } = this.#options.timing ?? config.DEFAULT_TIMING;
    const silentMs = (member: number): number | null => {
      if (member === this.#options.id) return 0;
      const heard = this.#heardAtTick.get(member);
      return heard === undefined ? null : (this.#ticks - heard) * tickMs;
    };
    const { progress } = this.#loop.replication();
    return new Map(
      [...progress].map(([member, { match }]) => [member, { match, silentMs: silentMs(member) }] as const),
    );
  }

  standing(): Standing {
    return this.#loop.board.standing;
  }

  /** True when this member leads and has applied the first entry of its own term. */
  leadsWithAppliedNoop(): boolean {
    return this.#loop.board.standing.leadsWithAppliedNoop;
  }

  /** Calls on every change of `standing()`, at the end of a turn. Returns the way to end it. */
  onStatus(listener: (standing: Standing) => void): () => void {
    return this.#loop.board.listen(listener);
  }

  /** Calls with the newest applied index after entries were applied. Returns the way to end it. */
  onApplied(listener: (index: number) => void): () => void {
    this.#appliedListeners.add(listener);
    return () => this.#appliedListeners.delete(listener);
  }

  /** Ends; what was proposed is left as `unknown-outcome`. Waits for the write in flight. */
  async stop(): Promise<void> {
    this.#end();
    await this.#options.transport.stop();
    await Promise.all([this.#loop.stop(), this.#sender.stop(), this.#receiver.stop()]);
    await this.#log.close();
  }

  get #electionTimeoutMs(): number {
    const { tickMs, electionTicks } = this.#options.timing ?? config.DEFAULT_TIMING;
    return tickMs * electionTicks;
  }

  async #replay(): Promise<void> {
    const { commit } = this.#log.recovered.hardState;
    this.#loop.turn();
    while (this.#loop.applied < commit && this.#phase === "replaying") {
      await new Promise<void>((resolve) => this.#environment.soon(resolve));
      this.#loop.turn();
    }
    if (this.#failure === null) return;
    await this.stop();
    throw this.#failure;
  }

  #run(): void {
    this.#phase = "running";
    const { id, transport, timing = config.DEFAULT_TIMING } = this.#options;
    transport.introduce(this.#identification);
    transport.onMessage((received) => {
      if (this.#phase !== "running" || received.to !== id) return;
      if (LEADERS_WORDS.has(received.type)) this.#failover.heardLeader(received.term);
      this.#heardAtTick.set(received.from, this.#ticks);
      this.#loop.receive(received);
    });
    transport.onPeerGone((member) => {
      if (this.#phase === "running") this.#takeHint(member);
    });
    transport.onSnapshot((transfer) => this.#receiver.receive(transfer));
    transport.onUnreachable((member) => {
      if (this.#phase === "running") this.#loop.reportUnreachable(member);
    });
    // After a stall the timer fires before the sockets are read, when every leader looks silent. So the tick waits until
    // they are read, and the intervals that were missed are not made up for.
    this.#stopTicks = this.#environment.every(timing.tickMs, () => {
      this.#environment.soon(() => {
        if (this.#phase !== "running") return;
        this.#ticks++;
        this.#loop.tick();
      });
    });
    this.#stopReminding = this.#environment.every(config.REMIND_MS, () => transport.remind());
    // Nobody else can lead a group of one, so there is nobody to wait for.
    const { voters } = this.#loop.board.standing.confState;
    if (voters.length === 1 && voters[0] === id) this.#loop.campaign();
  }

  #takeHint(member: number): void {
    if (!this.#failover.take(member)) return;
    this.#options.report?.("info", `the process of the leader, member ${member}, is gone: failing over`);
  }

  #refusalOfProposal(bytes: number): DriverError | null {
    const { role, leader } = this.#loop.board.standing;
    if (this.#phase !== "running") return ended();
    if (role !== "leader") return notLeader(leader);
    if (this.#loop.mute !== null) return mute(this.#loop.mute, leader);
    const { proposalsMax } = this.#limits;
    if (this.#proposals.size >= proposalsMax) {
      return new DriverError("dropped", `${proposalsMax} proposals wait already; try again later`, leader);
    }
    if (bytes <= config.PROPOSAL_BYTES_MAX) return null;
    return new DriverError(
      "too-large",
      `a proposal of ${bytes} bytes is over ${config.PROPOSAL_BYTES_MAX}; split it`,
    );
  }

  #refusalOfConfChange(): DriverError | null {
    const { confState, leadsWithAppliedNoop, leader } = this.#loop.board.standing;
    if (leadsWithAppliedNoop && !this.#changingMembers && confState.votersOutgoing.length === 0) return null;
    return new DriverError("dropped", "another membership change is under way; try again later", leader);
  }

  #fail(error: Error): void {
    if (this.#phase === "ended") return;
    const wasRunning = this.#phase === "running";
    this.#failure = error;
    this.#end();
    if (wasRunning) this.#options.onFatal(error);
  }

  #end(): void {
    if (this.#phase === "ended") return;
    this.#phase = "ended";
    this.#stopTicks();
    this.#stopReminding();
    this.#identification.stop();
    this.#failover.end();
    this.#proposals.rejectWaiting(ended());
    this.#proposals.rejectBefore(Infinity, unknownOutcome(null));
    this.#reads.rejectAll(ended());
  }
}
