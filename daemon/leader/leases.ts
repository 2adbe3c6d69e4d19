import type { NodeId, Session } from "../../scheduler/model/ids.ts";
import type { Store } from "../store/store.ts";
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
 * Age is counted in timer ticks, at most one for each interval, and is therefore never more than the time that passed:
 * a leader that was stalled does not find its nodes silent on waking.
 */
export class Leases {
  readonly #options: LeasesOptions;
  readonly #ticksSince = new Map<NodeId, { session: Session; ticks: number }>();
  readonly #expiring = new Set<Session>();
  #unconfirmed: (() => void)[] = [];
  #confirming = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: LeasesOptions) {
    this.#options = options;
  }

  /** Called once this daemon leads: every lease counts from now, whatever an earlier leader knew. */
  start(): void {
    this.#timer = setInterval(() => setImmediate(() => this.#tick()), TICK_INTERVAL_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#unconfirmed = [];
  }

  /**
   * A renewal of this session arrived. `acknowledge` is called once a majority has confirmed, in a round begun after
   * the arrival, that this daemon still leads; never when it does not.
   */
  renewed(node: NodeId, session: Session, acknowledge: () => void): void {
    if (this.#expiring.has(session)) return;
    this.#ticksSince.set(node, { session, ticks: 0 });
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
    for (const node of this.#options.store.view().nodes.values()) {
      if (node.state.kind !== "ready" || this.#expiring.has(node.session)) continue;
      const known = this.#ticksSince.get(node.id);
      const ticks = known?.session === node.session ? known.ticks + 1 : 1;
      this.#ticksSince.set(node.id, { session: node.session, ticks });
      // The first interval may have begun just before its tick, so it does not count.
      if ((ticks - 1) * TICK_INTERVAL_MS >= EXPIRY_MS) void this.#expire(node.id, node.session);
    }
  }

  async #expire(node: NodeId, session: Session): Promise<void> {
    this.#expiring.add(session);
    const { store, log } = this.#options;
    try {
      await store.readBarrier();
      const seconds = (EXPIRY_MS / 1_000).toFixed(1);
      const reason = `no renewal reached the leader for ${seconds} s`;
      log(`node ${node} is lost: ${reason}`);
      await store.propose({ kind: "expireNode", at: this.#options.now(), node, session, reason });
    } catch (error) {
      log(`expiry of node ${node} was not committed: ${String(error)}`);
      this.#expiring.delete(session);
    }
  }
}
