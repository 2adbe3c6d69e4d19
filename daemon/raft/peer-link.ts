import type * as grpc from "@grpc/grpc-js";
import type { RaftBatch } from "../../proto/gen/gpumesh/v1/RaftBatch.ts";
import type { RaftReceipt__Output } from "../../proto/gen/gpumesh/v1/RaftReceipt.ts";
import { loadMesh } from "../../proto/load.ts";
import { channelErrorOf, unusedCredentials } from "../mesh/channels.ts";
import type { RaftHello__Output } from "../../proto/gen/gpumesh/v1/RaftHello.ts";
import { helloFromWire, helloToWire } from "./hello-wire.ts";
import type { PeerRefusal } from "./peer-identity.ts";
import { refusalOf } from "./refused-stream.ts";
import type { Message } from "./core/core.ts";
import { SendQueue } from "./send-queue.ts";
import type { SendQueueLimits } from "./send-queue.ts";
import type { Introduction, RaftPeer } from "./transport.ts";
import { toWire } from "./wire.ts";

const Raft = loadMesh().Raft;

/** Opens a channel to a peer; the caller closes it. In the product it is always mutual TLS. */
export type OpenChannel = (peer: RaftPeer) => grpc.Channel;

export interface LinkLimits extends SendQueueLimits {
  /** A stream that the peer has not accepted after this time is given up. */
  readonly dialTimeoutMs: number;
  /** The wait before the first new dial; it doubles up to `redialMsMax`, and is then halved at random. */
  readonly redialMsMin: number;
  readonly redialMsMax: number;
  /** The wait after the peer has refused this member. */
  readonly refusedRedialMs: number;
}

export interface LinkOptions {
  /** The number of the peer. */
  readonly member: number;
  readonly introduction: Introduction;
  readonly peer: RaftPeer;
  readonly openChannel: OpenChannel;
  readonly limits: LinkLimits;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** A message was dropped; called at most once for each call of `send`, and once when the stream fails. */
  readonly onLoss: () => void;
  /** The peer's process is gone: a dial was refused that began after `suspect`, and nothing was heard of it since. */
  readonly onGone: () => void;
}

/** A commit index that is all a message has to tell waits so long for another message to travel with. */
const COMMIT_ALONE_MS = 1;

type MessagesStream = grpc.ClientDuplexStream<RaftBatch, RaftReceipt__Output>;

type LinkState =
  | { readonly kind: "dialing"; readonly line: Line }
  | { readonly kind: "open"; readonly line: Line; readonly writing: boolean }
  /** Waiting to dial again; what is sent meanwhile is dropped. */
  | { readonly kind: "waiting"; readonly timer: NodeJS.Timeout }
  | { readonly kind: "stopped" };

/** What is thought of the peer's process: a suspicion waits for a dial that begins after it, and its outcome settles it. */
type Suspicion = "none" | "raised" | "tested";

interface Line {
  readonly channel: grpc.Channel;
  readonly stream: MessagesStream;
  readonly dialTimer: NodeJS.Timeout;
}

/**
 * The way to one peer: a stream that is dialed again whenever it fails. Messages wait in a bounded queue until the peer
 * has accepted the stream, and all that are sent in one go leave together. A failure empties the
 * queue, so a peer that comes back is not flooded with the past.
 */
export class PeerLink {
  readonly #options: LinkOptions;
  readonly #queue: SendQueue;
  #state: LinkState;
  #failures = 0;
  #suspicion: Suspicion = "none";
  /** The newest synced batch that was written to the peer. */
  #told = 0;
  #flushScheduled = false;
  #waitForCompany: NodeJS.Timeout | null = null;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#queue = new SendQueue(options.limits);
    this.#state = { kind: "dialing", line: this.#dial() };
  }

  send(message: Message): void {
    if (this.#state.kind === "stopped") return;
    if (this.#state.kind === "waiting") return this.#options.onLoss();
    if (this.#queue.push(message, performance.now())) this.#options.onLoss();
    if (tellsOnlyTheCommit(message)) {
      this.#waitForCompany ??= setTimeout(() => {
        this.#waitForCompany = null;
        this.#flush();
      }, COMMIT_ALONE_MS);
      return;
    }
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    queueMicrotask(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  /** The peer broke off its own stream to this member. Dials anew as soon as this link is not, or no longer, open. */
  suspect(): void {
    this.#suspicion = "raised";
    if (this.#state.kind !== "waiting") return;
    clearTimeout(this.#state.timer);
    this.#state = { kind: "dialing", line: this.#dial() };
  }

  /** The peer said something, so its process is there. */
  heard(): void {
    this.#suspicion = "none";
  }

  /** Says how far the store has come, if the peer does not know that yet. */
  remind(): void {
    if (this.#told !== this.#options.introduction.syncedBatch()) this.#write([]);
  }

  stop(): void {
    const state = this.#state;
    this.#state = { kind: "stopped" };
    if (state.kind === "waiting") clearTimeout(state.timer);
    if (this.#waitForCompany !== null) clearTimeout(this.#waitForCompany);
    if (state.kind === "dialing" || state.kind === "open") hangUp(state.line);
    this.#queue.clear();
  }

  #dial(): Line {
    const { peer, openChannel, limits, introduction } = this.#options;
    if (this.#suspicion === "raised") this.#suspicion = "tested";
    const channel = openChannel(peer);
    // grpc-js wants credentials even where the given channel has its own, and does not look at them.
    const client = new Raft(peer.address, unusedCredentials, { channelOverride: channel });
    const stream = client.messages();
    const fail = (error?: Error): void => this.#failed(stream, error);
    stream.write({ hello: helloToWire(introduction.gate.hello()) });
    // The peer answers once it has let this member in, and says nothing more.
    stream.on("data", ({ hello }: RaftReceipt__Output) => this.#answered(stream, hello));
    stream.on("error", fail);
    stream.on("end", () => fail());
    return { channel, stream, dialTimer: setTimeout(() => fail(), limits.dialTimeoutMs) };
  }

  /** The peer has let this member in, and says who it is itself. */
  #answered(stream: MessagesStream, wire: RaftHello__Output | null): void {
    const { gate } = this.#options.introduction;
    const { member } = this.#options;
    const refuse = (refusal: PeerRefusal): void => {
      gate.refusals.add(`to send to member ${member}`, refusal);
      this.#failed(stream);
    };
    const read =
      wire === null ? { ok: false as const, fault: "it does not say who it is" } : helloFromWire(wire);
    if (!read.ok) return refuse({ reason: "malformed", details: read.fault });
    gate.admit(member, read.hello).then(
      (refusal) => (refusal === null ? this.#accepted(stream) : refuse(refusal)),
      () => this.#failed(stream),
    );
  }

  #accepted(stream: MessagesStream): void {
    if (this.#state.kind !== "dialing" || this.#state.line.stream !== stream) return;
    clearTimeout(this.#state.line.dialTimer);
    this.#failures = 0;
    this.#options.introduction.admitted(this.#options.member);
    this.#suspicion = "none";
    this.#state = { kind: "open", line: this.#state.line, writing: false };
    this.#flush();
  }

  /** Writes one batch if none is being written, so that what comes meanwhile travels together. */
  #flush(): void {
    if (this.#state.kind !== "open" || this.#state.writing) return;
    const messages = this.#queue.take(performance.now());
    if (messages.length > 0) this.#write(messages);
  }

  #write(messages: readonly Message[]): void {
    if (this.#state.kind !== "open" || this.#state.writing) return;
    const { line } = this.#state;
    this.#state = { kind: "open", line, writing: true };
    const syncedBatch = (this.#told = this.#options.introduction.syncedBatch());
    line.stream.write({ messages: messages.map(toWire), syncedBatch }, () => {
      if (this.#state.kind !== "open" || this.#state.line !== line) return;
      this.#state = { kind: "open", line, writing: false };
      this.#flush();
    });
  }

  #failed(stream: MessagesStream, error?: Error): void {
    const state = this.#state;
    if ((state.kind !== "dialing" && state.kind !== "open") || state.line.stream !== stream) return;
    hangUp(state.line);
    this.#queue.clear();
    const { limits, introduction, member } = this.#options;
    const refusal = refusalOf(error);
    if (this.#suspicion === "raised") {
      this.#state = { kind: "dialing", line: this.#dial() };
    } else {
      const gone = this.#suspicion === "tested" && error !== undefined && isUnattended(error);
      this.#suspicion = "none";
      this.#state = {
        kind: "waiting",
        timer: this.#dialLater(refusal === null ? 0 : limits.refusedRedialMs),
      };
      if (gone) this.#options.onGone();
    }
    this.#options.onLoss();
    if (refusal !== null) introduction.refused(member, refusal, refusal.byLeader);
  }

  #dialLater(waitMsMin: number): NodeJS.Timeout {
    const { redialMsMin, redialMsMax } = this.#options.limits;
    const ceiling = Math.max(waitMsMin, Math.min(redialMsMax, redialMsMin * 2 ** this.#failures++));
    const waitMs = ceiling * (0.5 + 0.5 * this.#options.random());
    return setTimeout(() => (this.#state = { kind: "dialing", line: this.#dial() }), waitMs);
  }
}

/** Nothing listens there: the answer of a machine whose daemon does not run. */
function isUnattended(error: Error): boolean {
  return channelErrorOf(error, "").code === "refused";
}

function tellsOnlyTheCommit({ type, entries }: Message): boolean {
  return type === "MsgApp" && entries.length === 0;
}

function hangUp(line: Line): void {
  clearTimeout(line.dialTimer);
  line.stream.cancel();
  // A channel's own back-off would outlast ours, so each dial has a channel of its own.
  line.channel.close();
}
