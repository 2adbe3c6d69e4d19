import type * as grpc from "@grpc/grpc-js";
import type { NodeFacts } from "../../scheduler/model/node.ts";
import type { FromAgent } from "../../proto/gen/gpumesh/v1/FromAgent.ts";
import type { FromLeader__Output } from "../../proto/gen/gpumesh/v1/FromLeader.ts";
import type { PartStatus } from "../../proto/gen/gpumesh/v1/PartStatus.ts";
import type { Directory } from "../mesh/directory.ts";
import type { Peers } from "../mesh/peers.ts";
import { membersOf } from "../mesh/directory-wire.ts";
import type { Lease } from "./lease.ts";
import type { Report } from "./reports.ts";
import { Reports } from "./reports.ts";

const RENEWAL_INTERVAL_MS = 1_000;
/** A leader that accepts no renewal for so long is given up, and the others are asked. */
const SILENCE_MAX_MS = 3_000;
const REDIAL_DELAY_MIN_MS = 50;
const REDIAL_DELAY_MAX_MS = 1_000;

export interface LinkOptions {
  readonly self: string;
  readonly peers: Peers;
  readonly directory: Directory;
  readonly lease: Lease;
  readonly facts: () => NodeFacts;
  /** Everything in the ledger, for the leader to compare with its own state. */
  readonly statuses: () => readonly PartStatus[];
  readonly bootClockMs: () => number;
  /** An order, or word that a report was settled. */
  readonly onOrder: (message: FromLeader__Output) => void;
  /** The mesh goes on without this daemon, for the reason given: it must end. */
  readonly onLeftBehind: (reason: string) => void;
  /** The lease's deadline moved. */
  readonly onLease: () => void;
  readonly log: (line: string) => void;
}

/** Whom this daemon holds for the leader, and in which term. */
export interface KnownLeader {
  readonly name: string;
  readonly term: number;
}

/**
 * The daemon's standing line to the leader. It asks one member after the other, goes where it is sent, registers,
 * renews the lease and passes orders on. A lost line is dialled again at once, then with growing delays.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #reports = new Reports();
  #stream: grpc.ClientDuplexStream<FromAgent, FromLeader__Output> | null = null;
  #leader: KnownLeader | null = null;
  #hint: string | null = null;
  /** The member asked now is one that another sent us to. */
  #isHinted = false;
  #turn = 0;
  #delayMs = REDIAL_DELAY_MIN_MS;
  #timer: NodeJS.Timeout | null = null;
  #renewals: NodeJS.Timeout | null = null;
  #lastAcceptedMs = 0;
  #stopped = false;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  start(): void {
    this.#dial();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#hangUp();
  }

  /** The leader on the other end of the open line, or null. */
  leader(): KnownLeader | null {
    return this.#leader;
  }

  /** Sends a report as soon as the line is open, and again until the leader has settled it. */
  report(report: Report): void {
    this.#reports.add(report);
    this.#sendReports();
  }

  #dial(): void {
    if (this.#stopped) return;
    const name = this.#next();
    const line = name === null ? null : this.#options.peers.line(name);
    if (name === null || line === null) return this.#redial();
    const stream = line.peer.session();
    this.#stream = stream;
    // Silence counts from here, so that a member that takes the call and never answers is left too.
    this.#lastAcceptedMs = this.#options.bootClockMs();
    stream.on("data", (message: FromLeader__Output) => this.#receive(name, stream, message));
    stream.on("error", () => this.#lost(stream));
    stream.on("end", () => this.#lost(stream));
    stream.write({
      hello: { factsJson: JSON.stringify(this.#options.facts()), parts: [...this.#options.statuses()] },
    });
    this.#reports.carried(this.#lastAcceptedMs);
    // What came in during a stall is read before the silence is judged.
    this.#renewals = setInterval(() => setImmediate(() => this.#renew(stream)), RENEWAL_INTERVAL_MS);
  }

  /** The member to ask: where the last one sent us, else the voters in turn, or all where none is known. */
  #next(): string | null {
    const hint = this.#hint;
    this.#hint = null;
    this.#isHinted = hint !== null;
    if (hint !== null) return hint;
    const members = this.#options.directory.members().filter((member) => member.address !== "");
    const voters = members.filter((member) => member.raftRole === "voter");
    const candidates = voters.length > 0 ? voters : members;
    const member = candidates[this.#turn % Math.max(1, candidates.length)];
    this.#turn += 1;
    return member?.name ?? null;
  }

  #receive(
    from: string,
    stream: grpc.ClientDuplexStream<FromAgent, FromLeader__Output>,
    message: FromLeader__Output,
  ): void {
    if (stream !== this.#stream) return;
    if (message.notLeader) {
      const { leader } = message.notLeader;
      this.#hint = leader === "" || leader === from ? null : leader;
      this.#lost(stream);
    } else if (message.leftBehind) {
      this.#options.onLeftBehind(message.leftBehind.reason);
    } else if (message.welcome) {
      this.#leader = { name: from, term: message.welcome.term };
      this.#delayMs = REDIAL_DELAY_MIN_MS;
      this.#options.lease.begin(message.welcome.leaseMs);
      this.#options.log(`leader is ${from} (term ${message.welcome.term})`);
      this.#renew(stream);
    } else if (message.settled) {
      this.#reports.settle(message.settled);
      this.#options.onOrder(message);
    } else if (message.renewalAccepted) {
      this.#lastAcceptedMs = this.#options.bootClockMs();
      if (this.#options.lease.accept(message.renewalAccepted.sequence)) this.#options.onLease();
    } else if (message.directory) {
      this.#options.directory.replace(membersOf(message.directory));
    } else {
      this.#options.onOrder(message);
    }
  }

  #renew(stream: grpc.ClientDuplexStream<FromAgent, FromLeader__Output>): void {
    if (stream !== this.#stream) return;
    const now = this.#options.bootClockMs();
    if (now - this.#lastAcceptedMs > SILENCE_MAX_MS) return this.#lost(stream);
    if (this.#leader === null) return;
    stream.write({ renewal: { sequence: this.#options.lease.send(now) } });
    this.#sendReports();
  }

  #sendReports(): void {
    if (this.#leader === null) return;
    for (const report of this.#reports.due(this.#options.bootClockMs())) this.#stream?.write({ report });
  }

  #lost(stream: grpc.ClientDuplexStream<FromAgent, FromLeader__Output>): void {
    if (stream !== this.#stream) return;
    if (this.#leader !== null) this.#options.log(`the line to ${this.#leader.name} is lost`);
    this.#hangUp();
    this.#redial();
  }

  #hangUp(): void {
    const stream = this.#stream;
    this.#stream = null;
    this.#leader = null;
    if (this.#renewals !== null) clearInterval(this.#renewals);
    this.#renewals = null;
    stream?.cancel();
  }

  #redial(): void {
    if (this.#stopped) return;
    // Two members that each take the other for the leader must not send us to and fro without a pause.
    const delay = this.#hint !== null && !this.#isHinted ? 0 : this.#delayMs;
    this.#delayMs = Math.min(this.#delayMs * 2, REDIAL_DELAY_MAX_MS);
    this.#timer = setTimeout(() => this.#dial(), delay);
  }
}
