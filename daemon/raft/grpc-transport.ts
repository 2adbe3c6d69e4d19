import type { Message } from "./core/core.ts";
import { PeerLink } from "./peer-link.ts";
import type { LinkLimits, OpenChannel } from "./peer-link.ts";
import type { RaftPeer, RaftTransport } from "./transport.ts";

export interface GrpcTransportOptions {
  readonly openChannel: OpenChannel;
  readonly limits?: Partial<LinkLimits>;
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
};

/**
 * Raft messages over one gRPC stream to each peer. It only sends: `raftService` gives what peers send to `deliver`.
 *
 * Latency rests on TCP_NODELAY, which grpc-js sets on every client socket (1.14, transport.ts).
 */
export class GrpcTransport implements RaftTransport {
  readonly #options: GrpcTransportOptions;
  readonly #links = new Map<number, { readonly peer: RaftPeer; readonly link: PeerLink }>();
  #receive: (message: Message) => void = () => {};
  #unreachable: (member: number) => void = () => {};
  #stopped = false;

  constructor(options: GrpcTransportOptions) {
    this.#options = options;
  }

  send(messages: readonly Message[]): void {
    for (const message of messages) this.#links.get(message.to)?.link.send(message);
  }

  /** Hands in a message that came over the network, already checked by `raftService`. */
  deliver(message: Message): void {
    if (!this.#stopped) this.#receive(message);
  }

  onMessage(handler: (message: Message) => void): void {
    this.#receive = handler;
  }

  onUnreachable(handler: (member: number) => void): void {
    this.#unreachable = handler;
  }

  setPeers(peers: ReadonlyMap<number, RaftPeer>): void {
    if (this.#stopped) return;
    for (const [member, { peer, link }] of this.#links) {
      const wanted = peers.get(member);
      if (wanted?.name === peer.name && wanted.address === peer.address) continue;
      link.stop();
      this.#links.delete(member);
    }
    for (const [member, peer] of peers) {
      if (!this.#links.has(member)) this.#links.set(member, { peer, link: this.#open(member, peer) });
    }
  }

  stop(): Promise<void> {
    this.#stopped = true;
    for (const { link } of this.#links.values()) link.stop();
    this.#links.clear();
    return Promise.resolve();
  }

  #open(member: number, peer: RaftPeer): PeerLink {
    return new PeerLink({
      peer,
      openChannel: this.#options.openChannel,
      limits: { ...DEFAULT_LINK_LIMITS, ...this.#options.limits },
      random: this.#options.random ?? Math.random,
      // Never from within `send`, which the core's driver calls in the middle of a step.
      onLoss: () => setImmediate(() => !this.#stopped && this.#unreachable(member)),
    });
  }
}
