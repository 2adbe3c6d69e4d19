/** A seeded source of numbers. Each part of a simulation has its own, so that one part's use does not shift another's. */
export class Random {
  readonly #seed: string;
  #state: number;

  constructor(seed: string) {
    this.#seed = seed;
    this.#state = hashText(seed);
  }

  /** A source of its own for the part with this name. */
  fork(name: string): Random {
    return new Random(`${this.#seed}/${name}`);
  }

  /** Uniform in [0, 1), by the mulberry32 generator. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** An integer in [0, end). */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** Exponentially distributed around `mean`, cut at ten times that. */
  around(mean: number): number {
    return Math.min(10, -Math.log(1 - this.next())) * mean;
  }

  pick<T>(list: readonly T[]): T {
    const item = list[this.below(list.length)];
    if (item === undefined) throw new Error("there is nothing to pick from");
    return item;
  }
}

/** FNV-1a over the UTF-16 units, 32 bits; continues `from`. */
export function hashText(text: string, from = 0x811c9dc5): number {
  let hash = from;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

const float = new Float64Array(1);
const halves = new Uint32Array(float.buffer);

/** FNV-1a over the halves of the number's 64 bits; continues `from`. */
export function hashNumber(number: number, from: number): number {
  float[0] = number;
  const first = Math.imul(from ^ (halves[0] ?? 0), 0x01000193);
  return Math.imul(first ^ (halves[1] ?? 0), 0x01000193) >>> 0;
}
