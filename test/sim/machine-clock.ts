import type { Clock } from "./clock.ts";

/** What the wall clocks show when a run begins. */
const BEGINNING = Date.UTC(2026, 0, 1);

/** The clock that `Date` and `performance` read now: that of the machine whose process runs. */
let current: MachineClock | null = null;

/** The clocks of one machine: one that only rises, and one on the wall, which may be set. */
export class MachineClock {
  /** Its seconds for each true one. */
  readonly rate: number;
  readonly #clock: Clock;
  #setBy = 0;

  constructor(clock: Clock, rate: number) {
    this.#clock = clock;
    this.rate = rate;
  }

  monotonicMs(): number {
    return this.#clock.now * this.rate;
  }

  wallMs(): number {
    return Math.floor(BEGINNING + this.monotonicMs() + this.#setBy);
  }

  /** Sets the wall clock forward by so many ms, or back. */
  setWall(byMs: number): void {
    this.#setBy += byMs;
  }
}

/** From now on, a process of this machine runs. */
export function enterMachine(machine: MachineClock): void {
  current = machine;
}

const NativeDate = Date;
const nativePerformanceNow = performance.now.bind(performance);

class MachineDate extends NativeDate {
  constructor(...parts: readonly unknown[]) {
    if (parts.length === 0) super(MachineDate.now());
    // All forms of the constructor but the one without arguments are the native ones.
    else super(...(parts as [number]));
  }

  static override now(): number {
    return current === null ? NativeDate.now() : current.wallMs();
  }
}

/** While `action` runs, code that reads the time from Node gets that of the simulated machine. One at a time. */
export async function withMachineTime<T>(action: () => Promise<T>): Promise<T> {
  globalThis.Date = MachineDate as DateConstructor;
  performance.now = () => (current === null ? nativePerformanceNow() : current.monotonicMs());
  try {
    return await action();
  } finally {
    current = null;
    globalThis.Date = NativeDate;
    performance.now = nativePerformanceNow;
  }
}
