/** One value of one source, waiting to be taken. */
interface Offer<T> {
  readonly value: T;
  readonly taken: () => void;
}

/**
 * Yields what any of the sources yields, as it comes, with at most `openMax` of them open at a time. A source goes on
 * only once its value was taken. The first source that fails ends all of them; so does leaving the loop, which also
 * aborts the signal that the sources were opened with.
 */
export async function* merge<T>(
  sources: readonly ((signal: AbortSignal) => AsyncIterable<T>)[],
  openMax: number,
  outer: AbortSignal,
): AsyncGenerator<T, void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  const offers: Offer<T>[] = [];
  const waiting = [...sources];
  let failure: { readonly error: unknown } | null = null;
  let wake = (): void => undefined;

  const run = async (): Promise<void> => {
    for (let source = waiting.shift(); source !== undefined; source = waiting.shift()) {
      for await (const value of source(signal)) {
        if (stop.signal.aborted) return;
        await new Promise<void>((taken) => {
          offers.push({ value, taken });
          wake();
        });
      }
    }
  };
  let running = Math.min(openMax, sources.length);
  const workers = Array.from({ length: running }, () =>
    run()
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => {
        running--;
        wake();
      }),
  );
  try {
    while (running > 0 || offers.length > 0) {
      const offer = offers.shift();
      if (offer === undefined) {
        if (failure !== null) break;
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      try {
        yield offer.value;
      } finally {
        offer.taken();
      }
    }
    throwFailure(failure);
  } finally {
    stop.abort();
    for (const { taken } of offers.splice(0)) taken();
    await Promise.all(workers);
  }
}

function throwFailure(failure: { readonly error: unknown } | null): void {
  if (failure !== null) throw failure.error;
}
