import { hashNumber, hashText } from "./random.ts";
import type { Random } from "./random.ts";

interface Event {
  /** Virtual ms. */
  readonly time: number;
  readonly tieBreak: number;
  readonly sequence: number;
  readonly action: () => void;
  cancelled: boolean;
}

/**
 * Virtual time: everything that happens is an event of this queue, in the order of (time, seeded tie-break, sequence).
 * Promises settle between two events, so asynchronous code runs as it does in a process, and always in the same way.
 */
export class Clock {
  readonly #random: Random;
  readonly #heap: Event[] = [];
  #now = 0;
  #sequence = 0;
  #events = 0;
  #hash = hashText("");

  constructor(random: Random) {
    this.#random = random;
  }

  /** Virtual ms since the beginning. */
  get now(): number {
    return this.#now;
  }

  /** How many events have happened. */
  get events(): number {
    return this.#events;
  }

  /** Of all that was noted so far: two runs that differ in one event differ in this. */
  get hash(): number {
    return this.#hash;
  }

  note(text: string): void {
    this.#hash = hashText(text, hashNumber(this.#now, this.#hash));
  }

  /** Returns the way to cancel it. */
  after(delayMs: number, action: () => void): () => void {
    const event: Event = {
      time: this.#now + Math.max(0, delayMs),
      tieBreak: this.#random.next(),
      sequence: ++this.#sequence,
      action,
      cancelled: false,
    };
    this.#push(event);
    return () => {
      event.cancelled = true;
    };
  }

  /** Runs events until `isOver` says so, which is asked after each, or the queue is empty. */
  async run(isOver: () => boolean): Promise<void> {
    await Promise.resolve();
    for (let event = this.#pop(); event !== undefined; event = this.#pop()) {
      if (event.cancelled) continue;
      this.#now = event.time;
      this.#events++;
      event.action();
      await drained();
      if (isOver()) return;
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, event)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || first === last) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      let below = heap[child];
      const other = heap[child + 1];
      if (below !== undefined && other !== undefined && isBefore(other, below)) {
        child++;
        below = other;
      }
      if (below === undefined || isBefore(last, below)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Event, b: Event): boolean {
  if (a.time !== b.time) return a.time < b.time;
  return a.tieBreak === b.tieBreak ? a.sequence < b.sequence : a.tieBreak < b.tieBreak;
}

/**
 * Resolves when no promise is left to settle. Asked for while promises settle, a tick waits for the last of them; unlike an
 * immediate it takes no turn of the event loop.
 */
function drained(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}
