import { Applier } from "./applier.ts";
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, message, NO_NODE } from "./core/core.ts";
import { RaftError, RawNode } from "./core/core.ts";
import type { BasicStatus, ConfChangeV2, Entry, Message, Ready, Status } from "./core/core.ts";
import * as config from "./core-config.ts";
import { DriverError } from "./driver-error.ts";
import { LogWriter } from "./log-writer.ts";
import type { LoopOptions } from "./loop-options.ts";
import type { AppliedPoint, Installation, LogBatch } from "./raft-log.ts";
import { mute, notLeader, unknownOutcome } from "./refusals.ts";
import type { MuteReason } from "./refusals.ts";
import { ROLES, StandingBoard } from "./standing.ts";
import type { Restoration } from "./state-machine.ts";
import { SyncedEntries } from "./synced-entries.ts";

/** A snapshot that is received and staged, and the state that it makes. */
export interface ReceivedSnapshot extends Installation {
  readonly restoration: Restoration;
}

/**
 * The loop between the core, its log and its state machine: store -> send -> apply, in turns of the event loop, each fed
 * with all that came since the last one. Writes are asynchronous: the loop goes on while a batch is being synced, and
 * votes and acknowledgements leave when it is.
 *
 * A member whose disk does not answer for an election timeout falls silent, so that the others find a leader whose disk
 * does (hashicorp/raft#503).
 */
export class RaftLoop {
  readonly board: StandingBoard;
  readonly #options: LoopOptions;
  readonly #storage: SyncedEntries;
  readonly #writer: LogWriter;
  readonly #node: RawNode;
  readonly #applier: Applier;
  /** Offered to the core, which has not taken it yet. */
  #offered: ReceivedSnapshot | null = null;
  /** Taken by the core and not stored yet, by index. */
  readonly #taken = new Map<number, ReceivedSnapshot>();
  #stalled = false;
  #turning = false;
  #turnScheduled = false;
  #ended = false;

  constructor(options: LoopOptions) {
    const { log, proposals, timing } = options;
    this.#options = options;
    const { hardState, applied } = log.recovered;
    this.#storage = new SyncedEntries(log.recovered);
    this.board = new StandingBoard(hardState.term, applied.confState);
    this.#writer = new LogWriter({
      log,
      storage: this.#storage,
      environment: options.environment,
      compaction: options.compaction,
      heldFrom: options.heldFrom,
      appliedFlushMs: config.APPLIED_FLUSH_MS,
      takeApplied: () => this.#takeApplied(),
      takeInstallation: (index) => this.#takeInstallation(index),
      onInstalled: ({ point }) => this.#installed(point),
      onWritten: (responses) => this.#written(responses),
      onFatal: (error) => this.#fail(error),
    });
    this.#node = new RawNode(
      config.coreConfig({
        id: options.id,
        storage: this.#storage,
        applied: applied.index,
        timing,
        limits: options.limits,
        random: () => options.environment.random(),
        report: options.report,
      }),
    );
    this.#applier = new Applier({
      proposals,
      apply: (entry) => options.machine.apply(entry),
      applyConfChange: (change) => this.#node.applyConfChange(change),
      onConfState: (index, confState) => {
        this.#storage.membershipChanged(index);
        this.board.observe({ confState });
      },
      stored: applied,
    });
  }

  /** The index of the last applied entry. */
  get applied(): number {
    return this.#applier.applied.index;
  }

  /** The index of the last synced entry. */
  get lastIndex(): number {
    return this.#storage.lastIndex();
  }

  /** Why this member takes no part now: its disk has not answered for an election timeout, or peers refuse it. */
  get mute(): MuteReason | null {
    if (this.#stalled) return "disk";
    return this.#options.silent() ? "refused" : null;
  }

  /** What the core counts on for each member: the commit index, and how much of the log they are known to hold. */
  replication(): Pick<Status, "commit" | "progress"> {
    const { commit, progress } = this.#node.status();
    return { commit, progress };
  }

  coreStatus(): BasicStatus {
    return this.#node.basicStatus();
  }

  /** Runs a turn once all input that is ready by now has come in. */
  schedule(): void {
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    this.#options.environment.soon(() => {
      this.#turnScheduled = false;
      this.turn();
    });
  }

  /** A MsgSnap is taken by `install` only, with its records. */
  receive(received: Message): void {
    if (received.type === "MsgSnap") return;
    this.#feed(() => this.#node.step(received));
  }

  /** Offers a snapshot to the core; false when it needs none. */
  install(received: Message, snapshot: ReceivedSnapshot): boolean {
    this.#offered = snapshot;
    this.#feed(() => this.#node.step(received));
    this.turn();
    const taken = this.#offered === null;
    this.#offered = null;
    return taken;
  }

  reportSnapshot(member: number, succeeded: boolean): void {
    this.#feed(() => this.#node.reportSnapshot(member, succeeded));
  }

  /** Nothing happens while the disk does not answer, for the own vote could not be stored. */
  campaign(): void {
    if (!this.#stalled) this.#feed(() => this.#node.campaign());
  }

  forgetLeader(): void {
    this.#feed(() => this.#node.forgetLeader());
  }

  transferLeadership(to: number): void {
    this.#feed(() => this.#node.transferLeader(to));
  }

  reportUnreachable(member: number): void {
    this.#feed(() => this.#node.reportUnreachable(member));
  }

  /** Gives the change to the core at once; what refuses it is the answer. */
  proposeConfChange(change: ConfChangeV2): RaftError | null {
    return this.#feed(() => this.#node.proposeConfChange(change));
  }

  tick(): void {
    const { reads, timing, report } = this.#options;
    this.#writer.tick();
    const stalled = this.#writer.writingTicks >= timing.electionTicks;
    if (stalled !== this.#stalled) {
      this.#stalled = stalled;
      report(
        "warn",
        stalled ? "the disk of the raft log does not answer: falling silent" : "the disk answers again",
      );
    }
    reads.tick();
    // Without ticks a leader sends no heartbeats, and a follower begins no election that it could not vote in.
    if (this.mute === null) this.#feed(() => this.#node.tick());
    this.turn();
  }

  /** Gives the core what waits, and does what it says until it says nothing more. */
  turn(): void {
    if (this.#ended || this.#turning) return;
    this.#turning = true;
    this.#guard(() => {
      this.#proposeWaiting();
      this.#askReads();
      for (let count = 0; this.#node.hasReady(); count++) {
        if (count === this.#options.limits.readiesPerTurnMax) {
          this.schedule();
          break;
        }
        this.#handle(this.#node.ready());
      }
      this.#publish();
    });
    this.#turning = false;
  }

  /** Nothing is stepped, sent or applied from now on; waits for the write in flight. */
  async stop(): Promise<void> {
    this.#ended = true;
    await this.#writer.stop();
  }

  /** Store first, so that the disk works while the rest is done; then send; then apply. */
  #handle(ready: Ready): void {
    const { softState, hardState } = ready;
    if (softState !== null) {
      const leader = softState.lead === NO_NODE ? null : softState.lead;
      this.board.observe({ role: ROLES[softState.raftState], leader });
    }
    if (hardState !== null) this.board.observe({ term: hardState.term });
    if (ready.snapshot !== null) this.#take(ready.snapshot.metadata.index);
    for (const read of ready.readStates) this.#options.reads.confirm(read.requestCtx, read.index);
    const outbound: Message[] = [];
    const applies: Message[] = [];
    for (const out of ready.messages) {
      if (out.to === LOCAL_APPEND_THREAD) this.#writer.enqueue(out);
      else if (out.to === LOCAL_APPLY_THREAD) applies.push(out);
      else outbound.push(out);
    }
    this.#writer.pump();
    this.#send(outbound);
    for (const apply of applies) {
      for (const entry of apply.entries) this.#applier.apply(entry);
      this.#respond(apply.responses);
      this.#writer.noteApplied();
      this.#options.onApplied(this.applied);
    }
    this.#options.reads.applied(this.applied);
  }

  #send(messages: readonly Message[]): void {
    if (messages.length === 0) return;
    const { environment, send, sendSnapshot } = this.#options;
    const snapshots = messages.filter(({ type }) => type === "MsgSnap");
    // The core sends a member nothing more until it hears how the snapshot fared.
    const lose = ({ to }: Message): void => environment.soon(() => this.reportSnapshot(to, false));
    if (this.mute !== null) return snapshots.forEach(lose);
    send(snapshots.length === 0 ? messages : messages.filter(({ type }) => type !== "MsgSnap"));
    for (const snapshot of snapshots) sendSnapshot(snapshot);
  }

  #take(index: number): void {
    if (this.#offered?.point.index !== index) throw new Error(`the records of snapshot ${index} are missing`);
    this.#taken.set(index, this.#offered);
    this.#offered = null;
  }

  #takeInstallation(index: number): Installation {
    for (const [other, { staged }] of this.#taken) {
      if (other < index) {
        this.#taken.delete(other);
        void staged.discard();
      }
    }
    const taken = this.#taken.get(index);
    if (taken === undefined) throw new Error(`the records of snapshot ${index} are missing`);
    return taken;
  }

  /** The state changes in one step of the event loop, before anything that was waiting for it leaves. */
  #installed(point: AppliedPoint): void {
    this.#taken.get(point.index)?.restoration.finish();
    this.#taken.delete(point.index);
    this.#applier.installed(point);
    this.board.observe({ confState: point.confState });
    this.#options.reads.applied(point.index);
    this.#options.onApplied(point.index);
  }

  #takeApplied(): LogBatch["applied"] {
    return { point: this.#applier.applied, changes: this.#options.machine.takeChanges() };
  }

  #written(responses: readonly Message[]): void {
    if (this.#ended) return;
    this.#guard(() => this.#respond(responses));
    this.turn();
  }

  #respond(responses: readonly Message[]): void {
    const { id } = this.#options;
    for (const response of responses) if (response.to === id) this.#tolerate(() => this.#node.step(response));
    this.#send(responses.filter((response) => response.to !== id));
  }

  /** Input for the core from outside; it is worked on in the next turn. */
  #feed(input: () => void): RaftError | null {
    if (this.#ended) return null;
    let refused: RaftError | null = null;
    this.#guard(() => {
      refused = this.#tolerate(input);
    });
    this.schedule();
    return refused;
  }

  /** A RaftError is the core's way to say that it ignores an input; everything else that it throws is a defect. */
  #tolerate(input: () => void): RaftError | null {
    try {
      input();
      return null;
    } catch (error) {
      if (error instanceof RaftError) return error;
      throw error;
    }
  }

  #proposeWaiting(): void {
    const { proposals, id, limits } = this.#options;
    if (!proposals.areWaiting) return;
    const { role, term, leader } = this.board.standing;
    if (role !== "leader") return proposals.rejectWaiting(notLeader(leader));
    const reason = this.mute;
    if (reason !== null) return proposals.rejectWaiting(mute(reason, leader));
    while (proposals.areWaiting) {
      const batch = proposals.take(term, limits.proposalBatchBytesMax);
      const entries = batch.map(({ entry }): Entry => ({
        term: 0,
        index: 0,
        type: "EntryNormal",
        data: entry,
      }));
      const refused = this.#feed(() =>
        this.#node.step(message({ type: "MsgProp", to: id, from: id, entries })),
      );
      if (refused === null) continue;
      const dropped = new DriverError("dropped", `${refused.message}; try again later`, leader);
      for (const { number } of batch) proposals.reject(number, dropped);
    }
  }

  #askReads(): void {
    if (this.board.standing.leader === null || this.mute !== null) return;
    const context = this.#options.reads.begin();
    if (context !== null) this.#node.readIndex(context);
  }

  /** Draws the consequences of what the turn found out. */
  #publish(): void {
    const { proposals, reads } = this.#options;
    const changed = this.board.publish(this.#applier.applied.term);
    if (changed === null) return;
    const { before, now } = changed;
    if (now.role !== "leader" || now.term !== before.term) {
      proposals.rejectBefore(now.role === "leader" ? now.term : Infinity, unknownOutcome(now.leader));
    }
    if (now.term !== before.term || now.leader !== before.leader) {
      reads.restart();
      if (reads.size > 0) this.schedule();
    }
    this.board.notify();
  }

  /** Runs what may break an invariant; a broken one ends this member. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #fail(error: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    // Nothing is stored any more, for the state in memory may be half of an entry ahead.
    void this.#writer.stop();
    this.#options.onFatal(error);
  }
}
