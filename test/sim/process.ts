import type { Environment } from "../../daemon/raft/environment.ts";
import type { Clock } from "./clock.ts";
import { enterMachine } from "./machine-clock.ts";
import type { MachineClock } from "./machine-clock.ts";
import type { Random } from "./random.ts";

/** The phases of an event loop, in the order in which they run after a stall. */
const PHASES = ["timer", "io", "soon"] as const;
type Phase = (typeof PHASES)[number];

/** How long an event loop takes to come to its immediates, at most. */
const SOON_MS_MAX = 0.05;

/** One life of a replica's process: from its start to its crash. Whatever it waits for when it dies never happens. */
export class Process {
  readonly environment: Environment;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #machine: MachineClock;
  readonly #afterEach: () => void;
  #alive = true;
  #paused = false;
  #held: { readonly phase: Phase; readonly action: () => void }[] = [];
  #lastSoon = 0;

  /** @param afterEach called after each event that this process has handled, when its promises have settled */
  constructor(clock: Clock, random: Random, machine: MachineClock, afterEach: () => void) {
    this.#clock = clock;
    this.#random = random;
    this.#machine = machine;
    this.#afterEach = afterEach;
    this.environment = {
      every: (intervalMs, action) => this.#every(intervalMs, action),
      after: (delayMs, action) => this.#timer(delayMs, action),
      soon: (action) => this.#soon(action),
      random: () => this.#random.next(),
      randomBytes: (length) => Uint8Array.from({ length }, () => this.#random.below(256)),
    };
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** From now on nothing happens in it. */
  kill(): void {
    this.#alive = false;
    this.#held = [];
  }

  /** Stops it as SIGSTOP does. */
  pause(): void {
    this.#paused = true;
  }

  /** What came meanwhile is handled in the order of an event loop: timers, then what can be read, then immediates. */
  resume(): void {
    this.#paused = false;
    const held = this.#held;
    this.#held = [];
    let delayMs = 0;
    for (const phase of PHASES) {
      // What the timers ask to be done soon is done when all that can be read is read.
      if (phase === "soon") this.#lastSoon = Math.max(this.#lastSoon, this.#clock.now + delayMs);
      for (const each of held) if (each.phase === phase) this.post(phase, (delayMs += 0.001), each.action);
    }
  }

  /** Something that comes to this process after so many true ms. */
  post(phase: Phase, delayMs: number, action: () => void): void {
    this.#clock.after(delayMs, () => this.take(phase, action));
  }

  /** Something that comes to this process now. */
  take(phase: Phase, action: () => void): void {
    if (!this.#alive) return;
    if (this.#paused) {
      this.#held.push({ phase, action });
      return;
    }
    enterMachine(this.#machine);
    action();
    this.#clock.note(phase);
    this.#afterEach();
  }

  /** Something that a device does, whether the process is stopped or not. */
  device(delayMs: number, action: () => void): void {
    this.#clock.after(delayMs, action);
  }

  #timer(delayMs: number, action: () => void): () => void {
    let cancelled = false;
    // It may be held by a stop already, when it is called off.
    const fire = (): void => {
      if (!cancelled) action();
    };
    const cancel = this.#clock.after(delayMs / this.#machine.rate, () => this.take("timer", fire));
    return () => {
      cancelled = true;
      cancel();
    };
  }

  #every(intervalMs: number, action: () => void): () => void {
    let cancelled = false;
    const next = (): void =>
      this.post("timer", intervalMs / this.#machine.rate, () => {
        if (cancelled) return;
        next();
        action();
      });
    next();
    return () => {
      cancelled = true;
    };
  }

  /** In the order in which they were asked for. */
  #soon(action: () => void): void {
    const { now } = this.#clock;
    this.#lastSoon = Math.max(this.#lastSoon + 0.0001, now + this.#random.next() * SOON_MS_MAX);
    this.post("soon", this.#lastSoon - now, action);
  }
}
