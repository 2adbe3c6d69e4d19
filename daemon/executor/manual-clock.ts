import type { FakeClock } from "./fake-executor.ts";

/** A boot clock that stands still until it is told to advance. */
export class ManualClock implements FakeClock {
  #nowMs = 0;
  #calls: { readonly atMs: number; readonly call: () => void }[] = [];

  bootClockMs(): number {
    return this.#nowMs;
  }

  at(atMs: number, call: () => void): () => void {
    const entry = { atMs, call };
    this.#calls.push(entry);
    return () => {
      this.#calls = this.#calls.filter((other) => other !== entry);
    };
  }

  /** Makes all calls that fall due, in order, each at its instant, and lets what they resolve run on. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      const next = this.#calls.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#calls = this.#calls.filter((other) => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.call();
    }
    this.#nowMs = untilMs;
  }
}
