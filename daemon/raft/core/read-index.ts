import { EMPTY_BYTES } from "./entry.ts";
import type { NodeNumber } from "./entry.ts";
import type { Message } from "./message.ts";
import { jointCommittedIndex } from "./quorum/joint.ts";
import type { JointConfig } from "./quorum/joint.ts";

/** Requests that wait on one leader; more are dropped, and their callers ask again. */
const READ_REQUESTS_MAX = 4096;

const ROUND_BYTES = 8;
const U32 = 2 ** 32;

/** A request that may be answered: a read of the state at `index` or later is linearizable. */
export interface ConfirmedRead {
  readonly request: Message;
  readonly index: number;
}

interface PendingRead extends ConfirmedRead {
  readonly round: number;
}

/**
 * Read requests on a leader (thesis, section 6.4). Each one opens a new round of heartbeats, and is confirmed when a
 * quorum has answered that round or a later one: the leader was then still the leader after the request had come.
 *
 * Rounds are numbered by the leader and never reused in its life. The context of a request does not identify a round:
 * a caller may ask again with the same context, and late answers to the first round would confirm the second
 * (etcd-io/raft issue 397).
 */
export class ReadIndexQueue {
  #lastRound = 0;
  #pending: PendingRead[] = [];
  #ackedRounds = new Map<NodeNumber, number>();
  #held: Message[] = [];

  /** Forgets all requests: they are void when the node changes its role or term. */
  reset(): void {
    this.#pending = [];
    this.#held = [];
    this.#ackedRounds = new Map();
  }

  get isFull(): boolean {
    return this.#pending.length + this.#held.length >= READ_REQUESTS_MAX;
  }

  /** Keeps a request until the leader has committed an entry of its own term; before, its commit index may be stale. */
  hold(request: Message): void {
    this.#held.push(request);
  }

  takeHeld(): readonly Message[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }

  /** Opens a round for a request that has come when `commit` was committed; the leader itself answers at once. */
  add(request: Message, commit: number, leader: NodeNumber): void {
    this.#lastRound += 1;
    this.#pending.push({ round: this.#lastRound, request, index: commit });
    this.#ackedRounds.set(leader, this.#lastRound);
  }

  /** The context of heartbeats that ask about all requests so far; empty when there is none. */
  heartbeatContext(): Uint8Array {
    return this.#pending.length === 0 ? EMPTY_BYTES : encodeRound(this.#lastRound);
  }

  /** Takes the answer to a heartbeat with this context. */
  acknowledge(from: NodeNumber, context: Uint8Array): void {
    const round = decodeRound(context);
    if (round > (this.#ackedRounds.get(from) ?? 0)) this.#ackedRounds.set(from, round);
  }

  /** Removes and returns, in their order, the requests whose round a quorum has answered. */
  takeConfirmed(voters: JointConfig): readonly ConfirmedRead[] {
    const confirmed = jointCommittedIndex(voters, (id) => this.#ackedRounds.get(id));
    const ready = this.#pending.filter(({ round }) => round <= confirmed);
    this.#pending = this.#pending.slice(ready.length);
    return ready;
  }
}

function encodeRound(round: number): Uint8Array {
  const bytes = new Uint8Array(ROUND_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(round / U32));
  view.setUint32(4, round % U32);
  return bytes;
}

/** 0, which confirms nothing, when the context is not one of ours. */
function decodeRound(context: Uint8Array): number {
  if (context.length !== ROUND_BYTES) return 0;
  const view = new DataView(context.buffer, context.byteOffset, ROUND_BYTES);
  return view.getUint32(0) * U32 + view.getUint32(4);
}
