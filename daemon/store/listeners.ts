/** Who wants to hear of something. Listeners added or removed during a round count from the next round on. */
export class Listeners<Args extends readonly unknown[]> {
  #all: readonly ((...args: Args) => void)[] = [];

  /** Returns the way to remove it again. */
  add(listener: (...args: Args) => void): () => void {
    // Wrapped, so that the same function added twice is two listeners.
    const own = (...args: Args): void => listener(...args);
    this.#all = [...this.#all, own];
    return () => {
      this.#all = this.#all.filter((other) => other !== own);
    };
  }

  notify(...args: Args): void {
    for (const listener of this.#all) listener(...args);
  }
}
