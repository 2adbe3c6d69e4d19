import type { Environment } from "./environment.ts";
import { REFUSAL_REASONS } from "./peer-identity.ts";
import type { PeerRefusal, RefusalReason } from "./peer-identity.ts";

/** After a line about a peer and a reason, the next of that kind comes this much later, with how many there were. */
const QUIET_MS = 60_000;
/** So many kinds are told apart; what comes beyond is only counted. */
const KINDS_MAX = 256;

export type RefusalCounts = Readonly<Record<RefusalReason, number>>;

interface Quiet {
  unsaid: number;
  readonly cancel: () => void;
}

/** Counts what is refused, and says why: at once the first time, and then seldom, for a peer tries again and again. */
export class PeerRefusals {
  readonly #environment: Pick<Environment, "after">;
  readonly #log: (line: string) => void;
  readonly #counts = new Map<RefusalReason, number>();
  readonly #quiet = new Map<string, Quiet>();

  constructor(environment: Pick<Environment, "after">, log: (line: string) => void) {
    this.#environment = environment;
    this.#log = log;
  }

  get counts(): RefusalCounts {
    const pairs = REFUSAL_REASONS.map((reason) => [reason, this.#counts.get(reason) ?? 0]);
    // All reasons are among the keys.
    return Object.fromEntries(pairs) as Record<RefusalReason, number>;
  }

  /** @param what completes "refused ...", and names the peer */
  add(what: string, { reason, details }: PeerRefusal): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    const kind = `${what} ${reason}`;
    const quiet = this.#quiet.get(kind);
    if (quiet !== undefined) {
      quiet.unsaid++;
    } else if (this.#quiet.size < KINDS_MAX) {
      this.#log(`refused ${what}: ${details}`);
      this.#keepQuiet(kind, `refused ${what}: ${details}`);
    }
  }

  stop(): void {
    for (const { cancel } of this.#quiet.values()) cancel();
    this.#quiet.clear();
  }

  #keepQuiet(kind: string, line: string): void {
    const cancel = this.#environment.after(QUIET_MS, () => {
      const unsaid = this.#quiet.get(kind)?.unsaid ?? 0;
      this.#quiet.delete(kind);
      if (unsaid === 0) return;
      this.#log(`${line} (${unsaid} more in the last ${QUIET_MS / 1000} s)`);
      this.#keepQuiet(kind, line);
    });
    this.#quiet.set(kind, { unsaid: 0, cancel });
  }
}
