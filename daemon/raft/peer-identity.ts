/**
 * Who a raft member is, beyond its number: the store that its promises are in, and the process that has it open.
 *
 * Raft is safe as long as no member forgets what it promised. A disk that is cloned, or put back to an older image, breaks
 * that in silence: the member votes twice in one term, or counts for entries that it no longer holds. So a member names its
 * store and the process that has it open to whoever it sends to, and each peer remembers, by the promises that reached
 * itself, how far that store must have come.
 *
 * A store numbers its synced batches, and nothing leaves a member before the batch that it rests on is synced. So whoever
 * has a promise has seen at least that batch's number, which goes with every message. (The index of the last entry would
 * not do: a log that is behind a new leader's loses its end rightfully; and votes are in no entry.) Every opening of a
 * store is counted, given a random name, and noted with the newest batch found then. A later process shows the openings
 * that led to it. It is believed where the opening that a peer knows is among them, under its name, and the one after that
 * found every batch that the peer knows of. An older image fails at this: it was opened under another name, or found less.
 *
 * What this can not show: a promise that was made to nobody who can be asked. If the only peer that had a vote or an
 * acknowledgement is away, or lost it with a disk of its own, or is a new member that never heard of the store, the image
 * is admitted there. Numbers that arrived since a peer's own last synced batch go when its machine loses power. And of
 * `OPENINGS_KEPT_MAX` openings and more that a peer has not heard of, only the batches are compared.
 */

/** One time that a store was opened. */
export interface StoreOpening {
  /** 16 random hexadecimal digits. */
  readonly name: string;
  /** The newest batch found; all that were synced before are at most this. */
  readonly foundBatch: number;
}

export interface StoreIdentity {
  /** 32 random hexadecimal digits, made with the store. */
  readonly storeId: string;
  /** How often the store was opened, this time included. */
  readonly incarnation: number;
  /** The newest ones, this one last. */
  readonly openings: readonly StoreOpening[];
  /** How often the mesh was brought back after the loss of a majority, as far as this store knows. */
  readonly recoveryEpoch: number;
}

/** What a member says of itself at the start of a stream. */
export interface PeerHello extends StoreIdentity {
  readonly meshId: string;
  readonly member: number;
  /** The end of its synced log. */
  readonly lastIndex: number;
  readonly term: number;
}

/** What a member remembers of a peer. */
export interface KnownPeer {
  readonly storeId: string;
  readonly incarnation: number;
  /** The name of that opening. */
  readonly opening: string;
  /** The newest of its synced batches that was seen. */
  readonly batch: number;
}

export const OPENINGS_KEPT_MAX = 64;

/** Why something of a peer is refused; each is counted by itself. */
export const REFUSAL_REASONS = [
  /** It belongs to another mesh. */
  "mesh",
  /** It is no member, or speaks in another's name. */
  "member",
  /** It comes from before a recovery of the mesh. */
  "epoch",
  /** Its store is not the one that the member had. */
  "store",
  /** A newer process has the same store, or a copy of it. */
  "incarnation",
  /** Its store has forgotten what it promised. */
  "regressed",
  "malformed",
  "oversized",
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

export interface PeerRefusal {
  readonly reason: RefusalReason;
  /** Completes "refused: ...", with the values that were found. */
  readonly details: string;
}

/** A store that is refused for one of these will never be right again: its member must leave and join anew. */
export const STORE_FAULTS: readonly RefusalReason[] = ["epoch", "store", "incarnation", "regressed"];

/** What the judging member brings with it. */
export interface Judge {
  readonly meshId: string;
  readonly recoveryEpoch: number;
  /** The index up to which this peer's acknowledgements were counted for committed entries; 0 for none. */
  readonly counted: number;
}

/** Decides about a peer that is known by `known`, or was never heard of. Gives what to remember of it from now on. */
export function judgePeer(
  judge: Judge,
  known: KnownPeer | null,
  hello: PeerHello,
): { readonly ok: true; readonly known: KnownPeer } | Refused {
  const { storeId, incarnation, recoveryEpoch, lastIndex } = hello;
  if (hello.meshId !== judge.meshId) return refused("mesh", `it belongs to mesh ${hello.meshId}`);
  if (recoveryEpoch < judge.recoveryEpoch) {
    const text = `the mesh was recovered without it: its epoch is ${recoveryEpoch}, not ${judge.recoveryEpoch}`;
    return refused("epoch", text);
  }
  const own = hello.openings.at(-1);
  if (own === undefined) return refused("malformed", "it names no opening of its store");
  if (known !== null) {
    const wrong = contradiction(known, hello, own);
    if (wrong !== null) return wrong;
  }
  if (lastIndex < judge.counted) {
    const text = `its log ends at entry ${lastIndex}, and it has acknowledged entry ${judge.counted}`;
    return refused("regressed", text);
  }
  const batch = Math.max(own.foundBatch, known?.batch ?? 0);
  return { ok: true, known: { storeId, incarnation, opening: own.name, batch } };
}

interface Refused {
  readonly ok: false;
  readonly refusal: PeerRefusal;
}

/** Whether this hello's process is the newest one of its store that is known. */
export function isNewest(known: KnownPeer | null, { incarnation, openings }: PeerHello): boolean {
  return known?.incarnation === incarnation && known.opening === openings.at(-1)?.name;
}

function contradiction(known: KnownPeer, hello: PeerHello, own: StoreOpening): Refused | null {
  const { storeId, incarnation, openings } = hello;
  if (storeId !== known.storeId) {
    return refused("store", `its store is ${storeId}, and that of this member was ${known.storeId}`);
  }
  if (incarnation < known.incarnation) {
    const text = `it is opening ${incarnation} of its store, and opening ${known.incarnation} was seen`;
    return refused("incarnation", text);
  }
  if (incarnation === known.incarnation) {
    if (own.name === known.opening) return null;
    return refused(
      "incarnation",
      `two processes are opening ${incarnation} of one store, or of copies of it`,
    );
  }
  // The openings since the one that is known; none before them where too many have gone by.
  const since = openings.slice(-(incarnation - known.incarnation));
  const seen = openings.at(-(incarnation - known.incarnation) - 1);
  if (seen !== undefined && seen.name !== known.opening) {
    const text = `opening ${known.incarnation} of its store was not the one that was seen here`;
    return refused("regressed", text);
  }
  const found = since[0]?.foundBatch ?? 0;
  if (found >= known.batch) return null;
  const text = `its store held batch ${found} when it was opened, and batch ${known.batch} was seen`;
  return refused("regressed", text);
}

function refused(reason: RefusalReason, details: string): Refused {
  return { ok: false, refusal: { reason, details } };
}
