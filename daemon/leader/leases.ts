import type { NodeId, Session } from "../../scheduler/model/ids.ts";
import type { Store } from "../store/store.ts";
import { StoreError } from "../store/store.ts";
import { EXPIRY_MS } from "./timing.ts";

const TICK_INTERVAL_MS = 250;

export interface LeasesOptions {
  readonly store: Store;
  readonly now: () => number;
  readonly log: (line: string) => void;
}

/**
 * The leader's side of the node leases: which renewals may be acknowledged, and which sessions have surely run out.
 *
 * Silence is counted at each tick: the time since the last tick, but at most one interval, and nothing at the first
 * tick after a renewal. It is therefore never more than the time that passed, and a leader that was stalled does not
 * find its nodes silent on waking.
 */
export class Leases {
  readonly #options: LeasesOptions;
  readonly #silence = new Map<NodeId, { readonly session: Session; readonly ms: number }>();
  /** Sessions whose expiry was asked for and may yet be committed: their renewals are acknowledged no more. */
  readonly #expiring = new Set<Session>();
  #unconfirmed: (() => void)[] = [];
  #confirming = false;
  #timer: NodeJS.Timeout | null = null;
  #lastTickMs = 0;

  constructor(options: LeasesOptions) {
    this.#options = options;
  }

  /** Called once this daemon leads: every lease counts from now, whatever an earlier leader knew. */
  start(): void {
    this.#lastTickMs = performance.now();
    // Renewals that came in during a stall are read before the tick that follows it.
    this.#timer = setInterval(() => setImmediate(() => this.#tick()), TICK_INTERVAL_MS);
  }

  /** Nothing is acknowledged or expired from now on, whatever is still under way. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#unconfirmed = [];
  }

  /**
   * A renewal of this session arrived. `acknowledge` is called once a majority has confirmed, in a round begun after
   * the arrival, that this daemon still leads; never when it does not.
   */
  renewed(node: NodeId, session: Session, acknowledge: () => void): void {
    if (this.#timer === null || this.#expiring.has(session)) return;
    if (this.#silence.get(node)?.session === session) this.#silence.delete(node);
    this.#unconfirmed.push(acknowledge);
    if (!this.#confirming) void this.#confirm();
  }

  async #confirm(): Promise<void> {
    this.#confirming = true;
    while (this.#unconfirmed.length > 0 && this.#timer !== null) {
      const batch = this.#unconfirmed;
      this.#unconfirmed = [];
      try {
        await this.#options.store.readBarrier();
      } catch {
        continue;
      }
      if (this.#timer !== null) for (const acknowledge of batch) acknowledge();
    }
    this.#confirming = false;
  }

  #tick(): void {
    if (this.#timer === null) return;
    const nowMs = performance.now();
    const passedMs = Math.min(nowMs - this.#lastTickMs, TICK_INTERVAL_MS);
    this.#lastTickMs = nowMs;
    for (const { id, session, state } of this.#options.store.view().nodes.values()) {
      if (state.kind !== "ready" || this.#expiring.has(session)) continue;
      const known = this.#silence.get(id);
      const ms = known?.session === session ? known.ms + passedMs : 0;
      this.#silence.set(id, { session, ms });
      if (ms >= EXPIRY_MS) void this.#expire(id, session);
    }
  }

  async #expire(node: NodeId, session: Session): Promise<void> {
    this.#expiring.add(session);
    const { store, log } = this.#options;
    try {
      await store.readBarrier();
      // Another leader may have led, and have acknowledged renewals, while the round was awaited.
      if (this.#timer === null) return;
      const seconds = (EXPIRY_MS / 1_000).toFixed(1);
      const reason = `no renewal reached the leader for ${seconds} s`;
      log(`node ${node} is lost: ${reason}`);
      await store.propose({ kind: "expireNode", at: this.#options.now(), node, session, reason });
    } catch (error) {
      log(`expiry of node ${node} was not committed: ${String(error)}`);
      const mayYetBe = error instanceof StoreError && error.code === "unknown-outcome";
      if (!mayYetBe) this.#expiring.delete(session);
    }
  }
}
