import type { Message } from "../../daemon/raft/core/core.ts";
import type { StateRecord } from "../../daemon/raft/raft-log.ts";
import type { RaftTransport, SnapshotTransfer } from "../../daemon/raft/transport.ts";
import type { Clock } from "./clock.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import { SnapshotStream } from "./snapshot-stream.ts";
import type { Verdict } from "./verdict.ts";

export interface NetworkRates {
  /** Mean ms on the way. */
  readonly delayMs: number;
  readonly loss: number;
  readonly duplicate: number;
  /** Messages of one link never overtake each other, as in a stream. */
  readonly ordered: boolean;
}

export interface NetworkListeners {
  /** A message has left a member; it may be lost. */
  readonly sent: (message: Message) => void;
  /** It has come to where the running process of its receiver will find it. */
  readonly arrived: (message: Message) => void;
  /** So many different ones with entries are on the way between these two then. */
  readonly onTheWay: (from: number, to: number, messages: number) => void;
  /** A chunk of a snapshot has left a member. */
  readonly chunk: (from: number, to: number, records: readonly StateRecord[]) => void;
  /** The process takes it. */
  readonly taken: (message: Message) => void;
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
  /** How many messages with entries from this index on are on the way. */
  readonly carried: Map<number, number>;
}

/** Where a member's current process takes messages. */
interface Port {
  readonly process: Process;
  onMessage: (message: Message) => void;
  onUnreachable: (member: number) => void;
  onSnapshot: (transfer: SnapshotTransfer) => Promise<void>;
}

export class Network {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #verdict: Verdict;
  readonly #links = new Map<string, Link>();
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
      onMessage: () => {},
      onUnreachable: () => {},
      onSnapshot: () => Promise.reject(new Error("nobody takes snapshots yet")),
    };
    this.#ports.set(member, port);
    return {
      send: (messages) => {
        if (process.alive) for (const message of messages) this.#carry(message);
      },
      sendSnapshot: (transfer) => this.#carrySnapshot(process, transfer),
      onSnapshot: (handler) => {
        port.onSnapshot = handler;
      },
      onMessage: (handler) => {
        port.onMessage = handler;
      },
      onUnreachable: (handler) => {
        port.onUnreachable = handler;
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
  }

  heal(): void {
    for (const link of this.#links.values()) link.blocks = link.lagMs = link.heldUntil = 0;
    this.rates = { delayMs: this.rates.delayMs, loss: 0, duplicate: 0, ordered: true };
  }

  #carry(message: Message): void {
    this.#listeners.sent(message);
    const link = this.#link(message.from, message.to);
    const { loss, duplicate } = this.rates;
    if (link.blocks > 0 || link.random.chance(loss)) return;
    this.#deliver(link, message);
    if (!link.random.chance(duplicate)) return;
    this.#verdict.mark("message duplicated");
    this.#deliver(link, message);
  }

  async #carrySnapshot(sender: Process, transfer: SnapshotTransfer): Promise<void> {
    const { message } = transfer;
    const { from, to } = message;
    const port = this.#ports.get(to);
    if (port === undefined) throw new Error(`member ${to} does not run`);
    this.#listeners.sent(message);
    const stream = new SnapshotStream(
      this.#clock,
      { process: sender, carry: (arrived) => this.#hop(from, to, port.process, arrived) },
      { process: port.process, carry: (arrived) => this.#hop(to, from, sender, arrived) },
      this.#noting(from, to, transfer.chunks),
    );
    await stream.run((chunks) => port.onSnapshot({ ...transfer, chunks }));
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

  /** Carries a part of a stream, which is lost with the stream's messages. */
  #hop(from: number, to: number, process: Process, arrived: () => void): void {
    const link = this.#link(from, to);
    const { stream } = link;
    if (link.blocks > 0 || link.random.chance(this.rates.loss)) return;
    this.#clock.after(this.#arrivalOn(link) - this.#clock.now, () => {
      if (link.stream !== stream || link.blocks > 0) return;
      process.post("io", 0, () => {
        this.#clock.note(`snapshot ${from}->${to}`);
        arrived();
      });
    });
  }

  #deliver(link: Link, message: Message): void {
    const { now } = this.#clock;
    const { stream } = link;
    let arrival = this.#arrivalOn(link);
    if (this.rates.ordered) arrival = Math.max(arrival, link.busyUntil + 0.001);
    else if (arrival < link.busyUntil) this.#verdict.mark("message overtaken");
    link.busyUntil = Math.max(link.busyUntil, arrival);
    const first = message.entries[0]?.index;
    if (first !== undefined) link.carried.set(first, (link.carried.get(first) ?? 0) + 1);
    this.#listeners.onTheWay(message.from, message.to, link.carried.size);
    this.#clock.after(arrival - now, () => {
      const left = first === undefined ? 0 : (link.carried.get(first) ?? 0) - 1;
      if (first !== undefined && left > 0) link.carried.set(first, left);
      else if (first !== undefined) link.carried.delete(first);
      if (link.stream !== stream || link.blocks > 0) return;
      const port = this.#ports.get(message.to);
      if (port?.process.alive !== true) return;
      this.#listeners.arrived(message);
      port.process.post("io", 0, () => {
        const { type, from, to, term, index, commit } = message;
        this.#clock.note(`${type} ${from}->${to} ${term} ${index} ${commit}`);
        this.#listeners.taken(message);
        port.onMessage(message);
      });
    });
  }

  #arrivalOn(link: Link): number {
    const ms = 0.05 + link.random.around(this.rates.delayMs) + link.lagMs;
    return Math.max(this.#clock.now, link.heldUntil) + ms;
  }

  #link(from: number, to: number): Link {
    const name = `${from}->${to}`;
    const known = this.#links.get(name);
    if (known !== undefined) return known;
    const random = this.#random.fork(name);
    const link: Link = {
      random,
      stream: 0,
      busyUntil: 0,
      blocks: 0,
      lagMs: 0,
      heldUntil: 0,
      carried: new Map(),
    };
    this.#links.set(name, link);
    return link;
  }
}
