import type { BrokenCall } from "./broken-call.ts";
import type { CallFault } from "./connect-fault.ts";
import { MeshUnreachable } from "./mesh-unreachable.ts";
import { backoffMs, pause } from "./pause.ts";

/** What a retry needs of the connection. */
export interface Rotation {
  readonly meshId: string;
  readonly addresses: readonly string[];
  readonly retryForMs: number;
  moveOnFrom(address: string): void;
}

/** One run of failures without a success in between: it knows what was tried and when to give up. */
export class Retrying {
  readonly #rotation: Rotation;
  readonly #signal: AbortSignal;
  readonly #faults = new Map<string, CallFault>();
  /** Start of the run; null after a success, until the next failure. */
  #since: number | null = performance.now();
  #failures = 0;

  constructor(rotation: Rotation, signal: AbortSignal) {
    this.#rotation = rotation;
    this.#signal = signal;
  }

  get remainingMs(): number {
    return this.#rotation.retryForMs - this.#elapsedMs;
  }

  /** The call got through: the next failure is a first one. */
  succeeded(): void {
    this.#since = null;
    this.#failures = 0;
    this.#faults.clear();
  }

  /**
   * Resolves when it is time to try again, on the next daemon. Rejects with `MeshUnreachable` when the time is over,
   * or when every address has said something that waiting does not change.
   */
  async after(address: string, broken: BrokenCall): Promise<void> {
    const { addresses } = this.#rotation;
    this.#since ??= performance.now();
    this.#failures++;
    this.#faults.set(address, broken.fault);
    const hopeless = addresses.every((known) => this.#faults.get(known)?.permanent === true);
    if (hopeless || this.remainingMs <= 0) throw this.#unreachable();
    this.#rotation.moveOnFrom(address);
    // The leader's death is met first by those who asked it, and the next daemon holds their calls until another leads.
    if (this.#failures === 1 && addresses.length > 1) return;
    const rounds = Math.floor((this.#failures - 1) / addresses.length);
    await pause(Math.min(backoffMs(rounds), Math.max(0, this.remainingMs)), this.#signal);
  }

  #unreachable(): MeshUnreachable {
    const { meshId, addresses } = this.#rotation;
    const tried = addresses.map((address) => {
      const fault = this.#faults.get(address);
      return { address, error: fault?.error ?? "not tried", answered: fault?.answered ?? false };
    });
    return new MeshUnreachable(meshId, tried, this.#elapsedMs);
  }

  get #elapsedMs(): number {
    return this.#since === null ? 0 : performance.now() - this.#since;
  }
}
