import type { Message } from "../../daemon/raft/core/core.ts";
import type { StateRecord } from "../../daemon/raft/raft-log.ts";
import { StreamAdmission } from "../../daemon/raft/stream-admission.ts";
import type { Introduction, RaftTransport, SnapshotTransfer } from "../../daemon/raft/transport.ts";
import type { Clock } from "./clock.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import { SnapshotStream } from "./snapshot-stream.ts";
import type { Verdict } from "./verdict.ts";

/** The share of resets that a firewall makes, which then refuses a connection to a member that is well. */
const FIREWALLED = 0.3;

export interface NetworkRates {
  /** Mean ms on the way. */
  readonly delayMs: number;
  readonly loss: number;
  readonly duplicate: number;
  /** Messages of one link never overtake each other, as in a stream. */
  readonly ordered: boolean;
  /** Mean ms that a chunk of a snapshot takes longer than a message. */
  readonly chunkMs: number;
}

/** Members have smaller numbers than this. */
const MEMBERS_MAX = 1_000;

export interface NetworkListeners {
  /** A message has left a member; it may be lost. */
  readonly sent: (message: Message) => void;
  /** So many different ones with entries are on the way between these two then. */
  readonly onTheWay: (from: number, to: number, messages: number) => void;
  /** It has come to where the running process of its receiver will find it. */
  readonly arrived: (message: Message) => void;
  /** The process has found it. */
  readonly found: (message: Message) => void;
  /** The member takes it, for its sender is let in. */
  readonly taken: (message: Message) => void;
  /** It is told that another one is gone. */
  readonly gone: (member: number) => void;
  /** A chunk of a snapshot has left a member. */
  readonly chunk: (from: number, to: number, records: readonly StateRecord[]) => void;
}

/** One direction between two members. */
interface Link {
  readonly random: Random;
  /** Rises with each reset; what was sent before is lost. */
  stream: number;
  /** When the last message arrives. */
  busyUntil: number;
  /** How many faults block it. */
  blocks: number;
  /** What every message takes longer. */
  lagMs: number;
  /** Nothing arrives before this time: it waits on the way, as what TCP sends again does. */
  heldUntil: number;
  /**
   * How many messages with entries from this index on are on the way. A snapshot, which travels beside them, begins a new
   * window: what was sent before it is of no more use to its receiver.
   */
  carried: Map<number, number>;
}

/** Where a member's current process takes messages. */
interface Port {
  readonly process: Process;
  introduction: Introduction | null;
  /** What comes from other processes, each of which begins with a handshake. */
  readonly streams: WeakMap<Port, StreamAdmission>;
  onMessage: (message: Message) => void;
  onUnreachable: (member: number) => void;
  onPeerGone: (member: number) => void;
  onSnapshot: (transfer: SnapshotTransfer) => Promise<void>;
}

export class Network {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #verdict: Verdict;
  readonly #links = new Map<number, Link>();
  readonly #ports = new Map<number, Port>();
  readonly #listeners: NetworkListeners;
  rates: NetworkRates;

  constructor(
    clock: Clock,
    random: Random,
    verdict: Verdict,
    rates: NetworkRates,
    listeners: NetworkListeners,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#verdict = verdict;
    this.rates = rates;
    this.#listeners = listeners;
  }

  /** The transport of a member's new process. */
  join(member: number, process: Process): RaftTransport {
    const port: Port = {
      process,
      introduction: null,
      streams: new WeakMap(),
      onMessage: () => {},
      onUnreachable: () => {},
      onPeerGone: () => {},
      onSnapshot: () => Promise.reject(new Error("nobody takes snapshots yet")),
    };
    this.#ports.set(member, port);
    return {
      introduce: (introduction) => {
        port.introduction = introduction;
        // Each side dials the other, long before it has anything to say.
        for (const [other, { process: there }] of this.#ports) {
          if (other === member) continue;
          this.#hop(member, other, there, () => this.#remind(port, member, other));
          this.#hop(other, member, process, () => {
            const peer = this.#ports.get(other);
            if (peer !== undefined) this.#remind(peer, other, member);
          });
        }
      },
      remind: () => {
        for (const [other, { process: there }] of this.#ports) {
          if (other !== member) this.#hop(member, other, there, () => this.#remind(port, member, other));
        }
      },
      send: (messages) => {
        if (process.alive) for (const message of messages) this.#carry(port, message);
      },
      sendSnapshot: (transfer) => this.#carrySnapshot(port, transfer),
      onSnapshot: (handler) => {
        port.onSnapshot = handler;
      },
      onMessage: (handler) => {
        port.onMessage = handler;
      },
      onUnreachable: (handler) => {
        port.onUnreachable = handler;
      },
      onPeerGone: (handler) => {
        port.onPeerGone = handler;
      },
      setPeers: () => {},
      stop: () => Promise.resolve(),
    };
  }

  block(from: number, to: number): void {
    this.#link(from, to).blocks++;
  }

  unblock(from: number, to: number): void {
    const link = this.#link(from, to);
    link.blocks = Math.max(0, link.blocks - 1);
  }

  /** Every message takes so much longer; 0 ends it. */
  lag(from: number, to: number, byMs: number): void {
    this.#link(from, to).lagMs = byMs;
  }

  /** What is sent for so long arrives afterwards. */
  hold(from: number, to: number, ms: number): void {
    this.#verdict.mark("messages held up");
    this.#link(from, to).heldUntil = this.#clock.now + ms;
  }

  /** Everything on the way is lost; the sender gets to know. */
  reset(from: number, to: number): void {
    this.#link(from, to).stream++;
    const port = this.#ports.get(from);
    port?.process.post("io", this.#random.around(1), () => port.onUnreachable(to));
    this.#verdict.mark("stream reset");
    if (this.#random.chance(FIREWALLED)) this.#refuse(to, from, () => true);
  }

  /** A member's process has ended on a machine that runs: the machine says so to all that it can reach. */
  processEnded(member: number): void {
    const ended = this.#ports.get(member)?.process;
    for (const other of this.#ports.keys()) {
      if (other !== member) this.#refuse(other, member, () => this.#ports.get(member)?.process === ended);
    }
  }

  heal(): void {
    for (const link of this.#links.values()) link.blocks = link.lagMs = link.heldUntil = 0;
    this.rates = { ...this.rates, loss: 0, duplicate: 0, ordered: true };
  }

  /** After all that came from `member`, `dialer` finds its stream broken off, and a new connection refused if it still is. */
  #refuse(dialer: number, member: number, stillRefuses: () => boolean): void {
    const there = this.#link(dialer, member);
    const back = this.#link(member, dialer);
    const delayMs =
      Math.max(0, back.busyUntil - this.#clock.now) + 0.05 + this.#random.around(this.rates.delayMs);
    this.#clock.after(delayMs, () => {
      const port = this.#ports.get(dialer);
      if (there.blocks > 0 || back.blocks > 0 || !stillRefuses()) return;
      port?.process.post("io", 0, () => {
        this.#clock.note(`gone ${member}->${dialer}`);
        this.#listeners.gone(dialer);
        port.onPeerGone(member);
      });
    });
  }

  #carry(sender: Port, message: Message): void {
    this.#listeners.sent(message);
    const link = this.#link(message.from, message.to);
    const { loss, duplicate } = this.rates;
    if (link.blocks > 0 || link.random.chance(loss)) return;
    this.#deliver(link, sender, message);
    if (!link.random.chance(duplicate)) return;
    this.#verdict.mark("message duplicated");
    this.#deliver(link, sender, message);
  }

  async #carrySnapshot(sender: Port, transfer: SnapshotTransfer): Promise<void> {
    const { message } = transfer;
    const { from, to } = message;
    const port = this.#ports.get(to);
    if (port === undefined) throw new Error(`member ${to} does not run`);
    this.#link(from, to).carried = new Map();
    this.#listeners.sent(message);
    const stream = new SnapshotStream(
      this.#clock,
      { process: sender.process, carry: (arrived) => this.#carryChunk(from, to, port.process, arrived) },
      { process: port.process, carry: (arrived) => this.#hop(to, from, sender.process, arrived) },
      this.#noting(from, to, transfer.chunks),
    );
    await stream.run(async (chunks) => {
      const hello = sender.introduction?.gate.hello();
      if (hello === undefined || port.introduction === null) throw new Error(`member ${to} does not run yet`);
      const refusal = await port.introduction.gate.admit(from, hello);
      if (refusal !== null) throw new Error(refusal.details);
      await port.onSnapshot({ ...transfer, chunks });
    });
  }

  async *#noting(
    from: number,
    to: number,
    chunks: SnapshotTransfer["chunks"],
  ): AsyncGenerator<readonly StateRecord[]> {
    for await (const chunk of chunks) {
      this.#listeners.chunk(from, to, chunk);
      yield chunk;
    }
  }

  #carryChunk(from: number, to: number, process: Process, arrived: () => void): void {
    const { chunkMs } = this.rates;
    if (chunkMs === 0) return this.#hop(from, to, process, arrived);
    this.#clock.after(this.#random.around(chunkMs), () => this.#hop(from, to, process, arrived));
  }

  /** Carries something that is no message, and is lost as messages are. */
  #hop(from: number, to: number, process: Process, arrived: () => void): void {
    const link = this.#link(from, to);
    const { stream } = link;
    if (link.blocks > 0 || link.random.chance(this.rates.loss)) return;
    this.#clock.after(this.#arrivalOn(link) - this.#clock.now, () => {
      if (link.stream !== stream || link.blocks > 0) return;
      process.take("io", () => {
        this.#clock.note(`${from}->${to}`);
        arrived();
      });
    });
  }

  #deliver(link: Link, sender: Port, message: Message): void {
    const { now } = this.#clock;
    const { stream, carried } = link;
    const batch = sender.introduction?.syncedBatch() ?? 0;
    let arrival = this.#arrivalOn(link);
    if (this.rates.ordered) arrival = Math.max(arrival, link.busyUntil + 0.001);
    else if (arrival < link.busyUntil) this.#verdict.mark("message overtaken");
    link.busyUntil = Math.max(link.busyUntil, arrival);
    const first = message.entries[0]?.index;
    if (first !== undefined) carried.set(first, (carried.get(first) ?? 0) + 1);
    this.#listeners.onTheWay(message.from, message.to, carried.size);
    this.#clock.after(arrival - now, () => {
      const left = first === undefined ? 0 : (carried.get(first) ?? 0) - 1;
      if (first !== undefined && left > 0) carried.set(first, left);
      else if (first !== undefined) carried.delete(first);
      if (link.stream !== stream || link.blocks > 0) return;
      const port = this.#ports.get(message.to);
      if (port?.process.alive !== true) return;
      this.#listeners.arrived(message);
      port.process.take("io", () => {
        const { type, from, to, term, index, commit } = message;
        this.#clock.note(`${type} ${from}->${to} ${term} ${index} ${commit}`);
        this.#listeners.found(message);
        this.#streamBetween(sender, port, from, to)?.take(batch, () => {
          this.#listeners.taken(message);
          port.onMessage(message);
        });
      });
    });
  }

  /** The newest batch of one process reaches another. */
  #remind(sender: Port, from: number, to: number): void {
    const receiver = this.#ports.get(to);
    const batch = sender.introduction?.syncedBatch();
    if (receiver === undefined || batch === undefined || !sender.process.alive) return;
    this.#streamBetween(sender, receiver, from, to)?.take(batch, () => {});
  }

  #arrivalOn(link: Link): number {
    const ms = 0.05 + link.random.around(this.rates.delayMs) + link.lagMs;
    return Math.max(this.#clock.now, link.heldUntil) + ms;
  }

  /** The stream from one process to another; null where one of them is not ready for it. */
  #streamBetween(sender: Port, receiver: Port, from: number, to: number): StreamAdmission | null {
    const known = receiver.streams.get(sender);
    if (known !== undefined && !known.over) return known;
    const { introduction } = sender;
    if (introduction === null || receiver.introduction === null) return null;
    const tell = (answer: () => void): void => this.#hop(to, from, sender.process, answer);
    const stream = new StreamAdmission(receiver.introduction, introduction, tell);
    receiver.streams.set(sender, stream);
    return stream;
  }

  #link(from: number, to: number): Link {
    const key = from * MEMBERS_MAX + to;
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const link: Link = {
      random: this.#random.fork(`${from}->${to}`),
      stream: 0,
      busyUntil: 0,
      blocks: 0,
      lagMs: 0,
      heldUntil: 0,
      carried: new Map(),
    };
    this.#links.set(key, link);
    return link;
  }
}
