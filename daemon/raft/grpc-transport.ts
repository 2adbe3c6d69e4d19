import type { Message } from "./core/core.ts";
import type { PeerGate } from "./peer-gate.ts";
import { PeerLink } from "./peer-link.ts";
import type { LinkLimits, OpenChannel } from "./peer-link.ts";
import { streamSnapshot } from "./snapshot-stream.ts";
import type { Introduction, RaftPeer, RaftTransport, SnapshotTransfer } from "./transport.ts";

export interface GrpcTransportOptions {
  readonly openChannel: OpenChannel;
  readonly limits?: Partial<LinkLimits>;
  /** A snapshot is given up when its receiver has not stored a chunk, or taken the whole, for so long. */
  readonly snapshotReceiptMsMax?: number;
  /** Uniform in [0, 1); for the jitter of dialing again. */
  readonly random?: () => number;
}

const DEFAULT_LINK_LIMITS: LinkLimits = {
  queueMessagesMax: 4096,
  queueBytesMax: 16 * 1024 * 1024,
  // gRPC takes 4 MiB; the largest message that raft makes alone is a little over one.
  batchBytesMax: 1024 * 1024,
  messageAgeMsMax: 1000,
  dialTimeoutMs: 5000,
  redialMsMin: 50,
  redialMsMax: 1000,
  refusedRedialMs: 1000,
};

const DEFAULT_SNAPSHOT_RECEIPT_MS_MAX = 30_000;

/**
 * Raft messages over one gRPC stream to each peer. It only sends: `raftService` gives what peers send to `deliver`.
 *
 * Latency rests on TCP_NODELAY, which grpc-js sets on every client socket (1.14, transport.ts).
 */
export class GrpcTransport implements RaftTransport {
  readonly #options: GrpcTransportOptions;
  #introduction: Introduction | null = null;
  #peers: ReadonlyMap<number, RaftPeer> = new Map();
  readonly #links = new Map<number, { readonly peer: RaftPeer; readonly link: PeerLink }>();
  #receive: (message: Message) => void = () => {};
  #unreachable: (member: number) => void = () => {};
  #gone: (member: number) => void = () => {};
  #receiveSnapshot: (transfer: SnapshotTransfer) => Promise<void> = () =>
    Promise.reject(new Error("this member does not run yet"));
  readonly #snapshots = new AbortController();
  #stopped = false;

  constructor(options: GrpcTransportOptions) {
    this.#options = options;
  }

  introduce(introduction: Introduction): void {
    this.#introduction = introduction;
    this.setPeers(this.#peers);
  }

  /** Judges who sends to this member; null before it runs. */
  get gate(): PeerGate | null {
    return this.#stopped ? null : (this.#introduction?.gate ?? null);
  }

  send(messages: readonly Message[]): void {
    for (const message of messages) this.#links.get(message.to)?.link.send(message);
  }

  async sendSnapshot(transfer: SnapshotTransfer): Promise<void> {
    const { to } = transfer.message;
    const peer = this.#links.get(to)?.peer;
    const introduction = this.#introduction;
    if (peer === undefined || introduction === null)
      throw new Error(`the address of member ${to} is not known`);
    const { openChannel, snapshotReceiptMsMax = DEFAULT_SNAPSHOT_RECEIPT_MS_MAX } = this.#options;
    const { signal } = this.#snapshots;
    const receiptMsMax = snapshotReceiptMsMax;
    await streamSnapshot(transfer, { peer, introduction, openChannel, receiptMsMax, signal });
  }

  /** Hands in a snapshot that comes over the network, its sender checked by `raftService`. */
  async deliverSnapshot(transfer: SnapshotTransfer): Promise<void> {
    if (this.#stopped) throw new Error("this member ends");
    await this.#receiveSnapshot(transfer);
  }

  onSnapshot(handler: (transfer: SnapshotTransfer) => Promise<void>): void {
    this.#receiveSnapshot = handler;
  }

  /** Hands in a message that came over the network, already checked by `raftService`. */
  deliver(message: Message): void {
    if (this.#stopped) return;
    this.#links.get(message.from)?.link.heard();
    this.#receive(message);
  }

  /** A member broke off its stream of messages, all of which were delivered: its process may be gone. */
  brokenOff(member: number): void {
    if (!this.#stopped) this.#links.get(member)?.link.suspect();
  }

  onMessage(handler: (message: Message) => void): void {
    this.#receive = handler;
  }

  onUnreachable(handler: (member: number) => void): void {
    this.#unreachable = handler;
  }

  onPeerGone(handler: (member: number) => void): void {
    this.#gone = handler;
  }

  setPeers(peers: ReadonlyMap<number, RaftPeer>): void {
    this.#peers = peers;
    const introduction = this.#introduction;
    if (this.#stopped || introduction === null) return;
    for (const [member, { peer, link }] of this.#links) {
      const wanted = peers.get(member);
      if (wanted?.name === peer.name && wanted.address === peer.address) continue;
      link.stop();
      this.#links.delete(member);
    }
    for (const [member, peer] of peers) {
      if (this.#links.has(member)) continue;
      this.#links.set(member, { peer, link: this.#open(member, peer, introduction) });
    }
  }

  stop(): Promise<void> {
    this.#stopped = true;
    this.#snapshots.abort();
    for (const { link } of this.#links.values()) link.stop();
    this.#links.clear();
    return Promise.resolve();
  }

  #open(member: number, peer: RaftPeer, introduction: Introduction): PeerLink {
    return new PeerLink({
      member,
      introduction,
      peer,
      openChannel: this.#options.openChannel,
      limits: { ...DEFAULT_LINK_LIMITS, ...this.#options.limits },
      random: this.#options.random ?? Math.random,
      // Never from within `send`, which the core's driver calls in the middle of a step.
      onLoss: () => setImmediate(() => !this.#stopped && this.#unreachable(member)),
      onGone: () => setImmediate(() => !this.#stopped && this.#gone(member)),
    });
  }
}
