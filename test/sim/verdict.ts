import type { Clock } from "./clock.ts";

/** The first thing that was found wrong. */
export interface Failure {
  readonly invariant: string;
  readonly detail: string;
  /** Virtual ms. */
  readonly atMs: number;
}

/** What a run has shown so far: at most one failure, and the rare situations that it went through. */
export class Verdict {
  readonly #clock: Clock;
  readonly #marks = new Set<string>();
  #failure: Failure | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get failure(): Failure | null {
    return this.#failure;
  }

  get marks(): ReadonlySet<string> {
    return this.#marks;
  }

  /** Never throws: it is called from within the code under test, which handles what is thrown. */
  fail(invariant: string, detail: string): void {
    this.#failure ??= { invariant, detail, atMs: Math.round(this.#clock.now) };
  }

  mark(name: string): void {
    this.#marks.add(name);
  }
}
