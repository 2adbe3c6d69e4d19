import type { Leadership, Store } from "../store/store.ts";

/** Shorter than a client waits for one daemon's answer. An election takes less, unless a majority is away. */
export const HOLD_MS_MAX = 2_000;
/** Calls that wait at one time; one more is not held. */
const HELD_CALLS_MAX = 4_096;

/**
 * Holds calls while there is no leader to carry them out: a change of leader then costs a caller the election, and not
 * also the pause before it asks again.
 */
export class LeaderWait {
  readonly #store: () => Store | null;
  readonly #self: () => number | null;
  #held = 0;

  /** @param self this daemon's own number; null while it is not known */
  constructor(store: () => Store | null, self: () => number | null) {
    this.#store = store;
    this.#self = self;
  }

  /**
   * Resolves when this daemon leads and has applied everything before, or when it knows of another leader than under
   * `refused`; at the latest at `deadline`, of `performance.now()`. A daemon without a replica hears of no election, so
   * it does not wait.
   */
  async settled(refused: Leadership | null, deadline: number): Promise<void> {
    const store = this.#store();
    const waitMs = deadline - performance.now();
    if (store === null || this.#isSettled(store.leadership(), refused)) return;
    if (waitMs <= 0 || this.#held >= HELD_CALLS_MAX) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, waitMs);
    const unsubscribe = store.onLeadership((leadership) => {
      if (this.#isSettled(leadership, refused)) resolve();
    });
    this.#held++;
    await promise;
    this.#held--;
    clearTimeout(timer);
    unsubscribe();
  }

  #isSettled(now: Leadership, refused: Leadership | null): boolean {
    if (now.leads) return true;
    // A leader that has not applied everything before its term can not answer yet.
    if (now.leader === null || now.leader === this.#self()) return false;
    return now.leader !== refused?.leader || now.term !== refused.term;
  }
}
