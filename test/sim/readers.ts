import type { StateMachines } from "./checks/state-machines.ts";
import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";
import type { Replica } from "./replica.ts";

/** How long a store is given to answer. */
const READ_MS = 300;
/** How often somebody reads while there is no doubt who leads, as a share of how often while there is. */
const CALM_SHARE = 0.12;

/**
 * Reads without end, whether those before were answered or not, and most of all while several believe to lead, or one that
 * has not opened its term: whoever leads a little too long or too early is asked in just that time.
 */
export class Readers {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #states: StateMachines;
  readonly #replicas: ReadonlyMap<number, Replica>;
  readonly #gapMs: number;
  #stopped = false;

  constructor(
    clock: Clock,
    random: Random,
    states: StateMachines,
    replicas: ReadonlyMap<number, Replica>,
    gapMs: number | null,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#states = states;
    this.#replicas = replicas;
    this.#gapMs = gapMs ?? 0;
    if (gapMs !== null) this.#next();
  }

  stop(): void {
    this.#stopped = true;
  }

  #next(): void {
    this.#clock.after(this.#random.around(this.#gapMs), () => {
      if (this.#stopped) return;
      this.#read();
      this.#next();
    });
  }

  #read(): void {
    const running = [...this.#replicas.values()].filter(({ store }) => store !== null);
    const leading = running.filter(({ id, store }) => store?.leadership().leader === id);
    const doubtful = leading.length > 1 || leading.some(({ store }) => store?.leadership().leads === false);
    if (!doubtful && !this.#random.chance(CALM_SHARE)) return;
    const asked = leading.length > 0 && this.#random.chance(0.7) ? leading : running;
    if (asked.length === 0) return;
    const replica = this.#random.pick(asked);
    const floor = this.#states.newestVersion;
    replica.process?.post("io", 0, () => {
      const { store } = replica;
      store?.readBarrier(READ_MS).then(
        () => this.#states.checkRead(replica.id, store.view().version, floor),
        // Nobody waits for this answer.
        () => {},
      );
    });
  }
}
