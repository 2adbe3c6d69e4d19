import { asV2, encodeConfChange } from "./conf-change/conf-change.ts";
import type { ConfChange } from "./conf-change/conf-change.ts";
import { resolveConfig } from "./config.ts";
import type { Config } from "./config.ts";
import { NO_NODE, entriesBytes, hardStatesEqual } from "./entry.ts";
import type { ConfState, Entry, EntryType, HardState, NodeNumber } from "./entry.ts";
import { RaftError, invariant } from "./errors.ts";
import { applyConfChange } from "./membership.ts";
import { isLocalMessage, isLocalTarget, isResponseMessage, message } from "./message.ts";
import type { Message } from "./message.ts";
import { Raft } from "./raft.ts";
import type { Ready, SoftState } from "./ready.ts";
import { basicStatusOf, statusOf } from "./status.ts";
import type { BasicStatus, Status } from "./status.ts";
import {
  storageAppendMessage,
  storageAppendResponse,
  storageApplyMessage,
  storageApplyResponse,
} from "./storage-messages.ts";

/**
 * One member of a raft group, without a clock, disk or network of its own: the caller feeds it ticks and messages, and
 * does what its Readys say. Not re-entrant; after a throw that is not a `RaftError` it must not be used any more.
 */
export class RawNode {
  readonly #raft: Raft;
  #previousSoftState: SoftState;
  #previousHardState: HardState;
  /** In synchronous mode: what `advance` has to tell this node about the Ready that is being worked on. */
  #stepsOnAdvance: readonly Message[] = [];

  /** @throws RaftError `config-invalid` */
  constructor(config: Config) {
    this.#raft = new Raft(resolveConfig(config));
    this.#previousSoftState = this.#raft.softState();
    this.#previousHardState = this.#raft.hardState();
  }

  /** Tells that one tick of time has passed. */
  tick(): void {
    this.#raft.tick();
  }

  /** Starts an election, with a pre-vote first if so configured. */
  campaign(): void {
    this.#raft.step(this.#local({ type: "MsgHup" }));
  }

  /** Proposes a command. That it is in the log is known when it is among the committed entries, and not before. */
  propose(data: Uint8Array): void {
    this.#proposeEntry("EntryNormal", data);
  }

  /**
   * Proposes a membership change. One that does not fit is replaced by an empty entry. @throws RaftError
   * `proposal-dropped`, as `propose` does.
   */
  proposeConfChange(change: ConfChange): void {
    const { type, data } = encodeConfChange(change);
    this.#proposeEntry(type, data);
  }

  /**
   * Puts a committed membership change into force; to be called for each one that is applied, in any mode before the
   * application is acknowledged. To decide against a change, pass it with its node numbers set to `NO_NODE`.
   * @throws RaftError `conf-change-invalid`
   */
  applyConfChange(change: ConfChange): ConfState {
    return applyConfChange(this.#raft, asV2(change));
  }

  /**
   * Takes a message from a peer, or a response from storage.
   * @throws RaftError `step-local-msg`, `step-peer-not-found`, `proposal-dropped`
   */
  step(m: Message): void {
    const fromPeer = !isLocalTarget(m.from);
    if (isLocalMessage(m.type) && fromPeer) throw new RaftError("step-local-msg");
    if (isResponseMessage(m.type) && fromPeer && !this.#raft.tracker.progress.has(m.from)) {
      throw new RaftError("step-peer-not-found");
    }
    this.#raft.step(m);
  }

  /**
   * Asks for an index at which a read is linearizable. The answer is a `ReadState` with this context, or nothing when
   * there is no leader, it changes, or a message is lost: ask again after a while.
   */
  readIndex(requestCtx: Uint8Array): void {
    const entry: Entry = { term: 0, index: 0, type: "EntryNormal", data: requestCtx };
    this.#raft.step(this.#local({ type: "MsgReadIndex", entries: [entry] }));
  }

  /** Asks the leader to hand over to `transferee`. Best effort, for one election timeout. */
  transferLeader(transferee: NodeNumber): void {
    this.#raft.step(this.#local({ type: "MsgTransferLeader", from: transferee }));
  }

  /** Lets a follower grant votes as if it had no leader, until it hears from it again. */
  forgetLeader(): void {
    this.#raft.step(this.#local({ type: "MsgForgetLeader" }));
  }

  /** Tells that the last message to a peer was not delivered. */
  reportUnreachable(id: NodeNumber): void {
    this.#raft.step(this.#local({ type: "MsgUnreachable", from: id }));
  }

  /**
   * Tells how the snapshot fared that was sent to a peer. Must be called when it failed, for the peer gets no entries
   * until then.
   */
  reportSnapshot(id: NodeNumber, succeeded: boolean): void {
    this.#raft.step(this.#local({ type: "MsgSnapStatus", from: id, reject: !succeeded }));
  }

  /** Whether `ready` would return anything to do. */
  hasReady(): boolean {
    const raft = this.#raft;
    return (
      this.#changedSoftState() !== null ||
      this.#changedHardState() !== null ||
      raft.log.unstable.nextSnapshot() !== null ||
      raft.messages.length > 0 ||
      raft.messagesAfterAppend.length > 0 ||
      raft.log.unstable.hasNextEntries ||
      raft.log.hasNextCommittedEntries(this.#appliesUnstable) ||
      raft.readStates.length > 0
    );
  }

  /**
   * Returns what is to be done, and takes it as being done. In synchronous mode `advance` must be called before the next
   * one.
   */
  ready(): Ready {
    const raft = this.#raft;
    const softState = this.#changedSoftState();
    const hardState = this.#changedHardState();
    const entries = raft.log.unstable.nextEntries();
    const snapshot = raft.log.unstable.nextSnapshot();
    const committedEntries = raft.log.nextCommittedEntries(this.#appliesUnstable);
    const work = { entries, hardState, snapshot };
    const ready: Ready = {
      softState,
      hardState,
      readStates: raft.readStates,
      entries,
      snapshot,
      committedEntries,
      messages: raft.config.asyncStorageWrites
        ? [
            ...raft.messages,
            ...present(storageAppendMessage(raft, work), storageApplyMessage(raft, committedEntries)),
          ]
        : [...raft.messages, ...raft.messagesAfterAppend.filter(({ to }) => to !== raft.id)],
      mustSync: entries.length > 0 || (hardState !== null && this.#votesDiffer(hardState)),
    };
    this.#accept(ready);
    return ready;
  }

  /** In synchronous mode: tells that all of the last Ready is done. */
  advance(): void {
    const raft = this.#raft;
    invariant(
      !raft.config.asyncStorageWrites,
      () => "Advance must not be called when using AsyncStorageWrites",
    );
    const steps = this.#stepsOnAdvance;
    this.#stepsOnAdvance = [];
    for (const m of steps) raft.step(m);
  }

  status(): Status {
    return statusOf(this.#raft);
  }

  basicStatus(): BasicStatus {
    return basicStatusOf(this.#raft);
  }

  /** Replaces the election timeout that was drawn, until the next change of role or term. */
  setRandomizedElectionTicks(ticks: number): void {
    this.#raft.setRandomizedElectionTicks(ticks);
  }

  #accept(ready: Ready): void {
    const raft = this.#raft;
    if (ready.softState !== null) this.#previousSoftState = ready.softState;
    if (ready.hardState !== null) this.#previousHardState = ready.hardState;
    if (!raft.config.asyncStorageWrites) {
      invariant(
        this.#stepsOnAdvance.length === 0,
        () => "two accepted Ready structs without call to Advance",
      );
      // The node's own votes and acknowledgements, and its storage's: all of it holds once the caller has done its duty.
      this.#stepsOnAdvance = [
        ...raft.messagesAfterAppend.filter(({ to }) => to === raft.id),
        ...present(
          storageAppendResponse(raft, ready.snapshot),
          storageApplyResponse(raft, ready.committedEntries),
        ),
      ];
    }
    raft.readStates = [];
    raft.messages = [];
    raft.messagesAfterAppend = [];
    raft.log.unstable.acceptInProgress();
    const last = ready.committedEntries.at(-1);
    if (last === undefined) return;
    raft.log.acceptApplying(last.index, entriesBytes(ready.committedEntries), this.#appliesUnstable);
  }

  /** In synchronous mode the caller stores entries before it applies them, so both can be of one Ready. */
  get #appliesUnstable(): boolean {
    return !this.#raft.config.asyncStorageWrites;
  }

  #changedSoftState(): SoftState | null {
    const state = this.#raft.softState();
    const { lead, raftState } = this.#previousSoftState;
    return state.lead === lead && state.raftState === raftState ? null : state;
  }

  #changedHardState(): HardState | null {
    const state = this.#raft.hardState();
    return hardStatesEqual(state, this.#previousHardState) ? null : state;
  }

  #votesDiffer({ term, vote }: HardState): boolean {
    return term !== this.#previousHardState.term || vote !== this.#previousHardState.vote;
  }

  #proposeEntry(type: EntryType, data: Uint8Array): void {
    const entry: Entry = { term: 0, index: 0, type, data };
    this.#raft.step(this.#local({ type: "MsgProp", from: this.#raft.id, entries: [entry] }));
  }

  #local(fields: Pick<Message, "type"> & Partial<Message>): Message {
    return message({ to: NO_NODE, ...fields });
  }
}

function present(...messages: readonly (Message | null)[]): readonly Message[] {
  return messages.filter((m) => m !== null);
}
