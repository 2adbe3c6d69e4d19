import type { LogIdentity } from "./log-identity.ts";
import { isNewest, judgePeer } from "./peer-identity.ts";
import type { PeerHello, PeerRefusal } from "./peer-identity.ts";
import type { PeerRefusals } from "./peer-refusals.ts";

export interface PeerGateOptions {
  readonly id: number;
  readonly meshId: string;
  readonly identity: LogIdentity;
  /** Where this member stands. */
  readonly place: () => Pick<PeerHello, "lastIndex" | "term">;
  readonly refusals: PeerRefusals;
  /** The index up to which this peer's acknowledgements were counted for committed entries; 0 for none. */
  readonly counted: (member: number) => number;
  /** Whether this member leads, which makes its refusals those of the mesh. */
  readonly leads: () => boolean;
}

/**
 * Decides whose streams are taken and to whom one is opened, and remembers who was let in. Every transport asks it, at both
 * ends of every stream.
 */
export class PeerGate {
  readonly refusals: PeerRefusals;
  readonly #options: PeerGateOptions;

  constructor(options: PeerGateOptions) {
    this.#options = options;
    this.refusals = options.refusals;
  }

  /** What this member says of itself now. */
  hello(): PeerHello {
    const { meshId, id, identity, place } = this.#options;
    return { ...identity.store, meshId, member: id, ...place() };
  }

  leads(): boolean {
    return this.#options.leads();
  }

  /**
   * Judges a peer at the start of a stream. Resolves with null when it is let in, and that it was here is on disk then:
   * whatever older process has its store is refused from now on, after a restart too.
   * @param caller the number that the peer truly has
   */
  async admit(caller: number, hello: PeerHello): Promise<PeerRefusal | null> {
    if (hello.member !== caller) {
      return { reason: "member", details: `it says that it is member ${hello.member}` };
    }
    const { meshId, identity, counted } = this.#options;
    const { recoveryEpoch } = identity.store;
    const before = identity.peer(caller);
    const judged = judgePeer({ meshId, recoveryEpoch, counted: counted(caller) }, before, hello);
    if (!judged.ok) return judged.refusal;
    if (!isNewest(before, hello)) await identity.meet(caller, judged.known);
    return null;
  }

  /** Something came on a stream that was let in, and rests on this batch of its sender's. Null when it counts. */
  hear(caller: number, hello: PeerHello, batch: number): PeerRefusal | null {
    const { identity } = this.#options;
    const known = identity.peer(caller);
    if (known === null || !isNewest(known, hello)) {
      const details = `opening ${hello.incarnation} of its store is not the newest one any more`;
      return { reason: "incarnation", details };
    }
    if (batch > known.batch) identity.note(caller, { ...known, batch });
    return null;
  }
}
