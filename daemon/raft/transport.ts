import type { Message } from "./core/core.ts";
import type { PeerGate } from "./peer-gate.ts";
import type { PeerRefusal } from "./peer-identity.ts";
import type { RecordTotals, StateRecord } from "./raft-log.ts";

/** Where a member is reached. */
export interface RaftPeer {
  readonly name: string;
  /** `host:port`. */
  readonly address: string;
}

/** A snapshot on its way. Who carries it takes the next chunk when the last one has been stored. */
export interface SnapshotTransfer {
  /** A MsgSnap with the place of the snapshot, and without data. */
  readonly message: Message;
  readonly totals: RecordTotals;
  readonly chunks: AsyncIterable<readonly StateRecord[]>;
}

/** How a member meets its peers: every stream begins with it. */
export interface Introduction {
  /** The newest synced batch of its store; what it sends from now on may rest on it. */
  syncedBatch(): number;
  /** Says who the member is, and judges its peers. */
  readonly gate: PeerGate;
  /** A peer has let the member in. */
  admitted(member: number): void;
  /** A peer has ended a stream of the member for this reason. */
  refused(member: number, refusal: PeerRefusal, byLeader: boolean): void;
}

/**
 * Carries messages between members, as the core expects it of a network: it may lose, delay or repeat them, but it
 * never changes one, and never names another sender than the true one.
 */
export interface RaftTransport {
  /** Lets the member send and receive; before, whatever is sent is dropped. */
  introduce(introduction: Introduction): void;
  /** Never waits and never throws; what can not be sent is dropped, since raft sends it again. */
  send(messages: readonly Message[]): void;
  /** Carries a snapshot on a way of its own, beside the messages. Resolves when the member has taken it, else rejects. */
  sendSnapshot(transfer: SnapshotTransfer): Promise<void>;
  /** Sets the one receiver of snapshots; it resolves when it has taken all of one. */
  onSnapshot(handler: (transfer: SnapshotTransfer) => Promise<void>): void;
  /** Sets the one receiver of messages from peers. */
  onMessage(handler: (message: Message) => void): void;
  /** Sets the one receiver of failures: a message to this member was lost, and so may be those that follow. */
  onUnreachable(handler: (member: number) => void): void;
  /**
   * Sets the one receiver of ends: this member's process has ended, for it broke its stream off without a farewell and then
   * refused a new connection. Told after all messages of that stream; a process that came back meanwhile is not told.
   */
  onPeerGone(handler: (member: number) => void): void;
  /** Who can be reached, by raft number; replaces what was known. Messages to anyone else are dropped. */
  setPeers(peers: ReadonlyMap<number, RaftPeer>): void;
  /** Nothing is sent or received once it has resolved. */
  stop(): Promise<void>;
}
