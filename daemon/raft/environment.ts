import { randomBytes } from "node:crypto";

/** The outer world as the driver sees it; a simulator puts its own in place. */
export interface Environment {
  /** Calls `action` every `intervalMs`. Intervals that a stalled process missed are lost, never made up for. */
  every(intervalMs: number, action: () => void): () => void;
  /** Calls `action` once, after `delayMs` at the earliest. */
  after(delayMs: number, action: () => void): () => void;
  /** Calls `action` once, after all input that is ready by now has been handled. */
  soon(action: () => void): void;
  /** Uniform in [0, 1). */
  random(): number;
  randomBytes(length: number): Uint8Array;
}

/** This process and its event loop: an immediate runs after the poll phase, in which the sockets are read. */
export const systemEnvironment: Environment = {
  every(intervalMs, action) {
    const timer = setInterval(action, intervalMs);
    return () => clearInterval(timer);
  },
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
  soon: (action) => void setImmediate(action),
  random: Math.random,
  randomBytes,
};
