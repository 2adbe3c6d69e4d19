import { monitorEventLoopDelay } from "node:perf_hooks";

/** The pauses of one process's event loop over some time. */
export interface Pauses {
  /** The longest, on the clock: what others of the machine took from this process counts too. */
  readonly maxMs: number;
  /** Of all turns of a chain of timers of 1 ms, which is never more than one turn behind what waits. */
  readonly p99Ms: number;
  /** The most processor time that the loop's own thread used in one of those turns. */
  readonly busyMaxMs: number;
  readonly turns: number;
}

const timerMs = 1;

/** Watches the event loop of this process from its making to `take`, and then on. */
export class PauseWatch {
  readonly #delays = monitorEventLoopDelay({ resolution: timerMs });
  #gapsMs: number[] = [];
  #busyMaxMs = 0;
  #lastMs = performance.now();
  #lastCpuMs = threadCpuMs();

  constructor() {
    this.#delays.enable();
    this.#next();
  }

  /** What was seen since the last call. */
  take(): Pauses {
    this.#turn();
    const gaps = this.#gapsMs.toSorted((a, b) => a - b);
    const at = (p: number): number => gaps[Math.min(gaps.length - 1, Math.floor(gaps.length * p))] ?? 0;
    const seenMs = this.#delays.max / 1e6 - timerMs;
    const pauses = {
      maxMs: Math.max(at(1), seenMs),
      p99Ms: at(0.99),
      busyMaxMs: this.#busyMaxMs,
      turns: gaps.length,
    };
    this.#delays.reset();
    this.#gapsMs = [];
    this.#busyMaxMs = 0;
    // What the figures themselves took is nobody's pause.
    this.#lastMs = performance.now();
    this.#lastCpuMs = threadCpuMs();
    return pauses;
  }

  #next(): void {
    const timer = setTimeout(() => {
      this.#turn();
      this.#next();
    }, timerMs);
    timer.unref();
  }

  #turn(): void {
    const nowMs = performance.now();
    const cpuMs = threadCpuMs();
    this.#gapsMs.push(Math.max(0, nowMs - this.#lastMs - timerMs));
    this.#busyMaxMs = Math.max(this.#busyMaxMs, cpuMs - this.#lastCpuMs);
    this.#lastMs = nowMs;
    this.#lastCpuMs = cpuMs;
  }
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
