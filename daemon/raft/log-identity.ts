import {
  decodeIdentity,
  encodeIdentity,
  IDENTITY_KEY,
  memberOfKey,
  PEER_KEYS,
  peerKey,
} from "./identity-record.ts";
import type { LogDatabase, Operation } from "./log-device.ts";
import { OPENINGS_KEPT_MAX } from "./peer-identity.ts";
import type { KnownPeer, StoreIdentity } from "./peer-identity.ts";
import { damage, LogError } from "./raft-log.ts";

const STORE_ID_BYTES = 16;
const OPENING_NAME_BYTES = 8;

export interface IdentityOptions {
  readonly folder: string;
  /** The newest batch that the log holds. */
  readonly foundBatch: number;
  readonly randomBytes: (length: number) => Uint8Array;
  /** Called with a failed write; gives the one error of the log. */
  readonly fail: (error: unknown) => LogError;
}

/** As it is stored: with the reason for which the mesh refuses the store for good, if it does. */
interface StoredIdentity extends StoreIdentity {
  readonly condemned: string | null;
}

/**
 * The part of a log database that says whose it is, and whom its member has met. To open it counts the opening in a synced
 * batch, so no two processes on one store ever say the same of themselves.
 */
export class LogIdentity {
  readonly store: StoreIdentity;
  readonly #database: LogDatabase;
  readonly #fail: (error: unknown) => LogError;
  readonly #peers: Map<number, KnownPeer>;
  /** What was learned since the last batch. */
  readonly #unwritten = new Set<number>();

  private constructor(
    store: StoreIdentity,
    peers: Map<number, KnownPeer>,
    database: LogDatabase,
    fail: (error: unknown) => LogError,
  ) {
    this.store = store;
    this.#peers = peers;
    this.#database = database;
    this.#fail = fail;
  }

  /** Rejects with a LogError `damaged`, or with what the database says. */
  static async open(database: LogDatabase, options: IdentityOptions): Promise<LogIdentity> {
    const { folder, foundBatch, randomBytes, fail } = options;
    const hex = (length: number): string => Buffer.from(randomBytes(length)).toString("hex");
    const stored = await database.get(IDENTITY_KEY);
    // A store that lost its identity gets another one, with which no peer takes it for the one that it was.
    const read =
      stored === undefined
        ? { ok: true as const, value: { storeId: hex(STORE_ID_BYTES), ...NEVER_OPENED } }
        : decodeIdentity<StoredIdentity>(IDENTITY_KEY, stored);
    if (!read.ok) throw damage(folder, `its identity ${read.fault}`);
    const { condemned, ...before } = read.value;
    if (condemned !== null) throw new LogError("refused", condemned);
    const opening = { name: hex(OPENING_NAME_BYTES), foundBatch };
    const store: StoreIdentity = {
      ...before,
      incarnation: before.incarnation + 1,
      openings: [...before.openings, opening].slice(-OPENINGS_KEPT_MAX),
    };
    const peers = await readPeers(database, folder);
    await database.batch([putIdentity({ ...store, condemned: null })], { sync: true });
    return new LogIdentity(store, peers, database, fail);
  }

  /** From now on the store can not be opened: that rejects with this reason. Resolves when it is synced. */
  async condemn(reason: string): Promise<void> {
    await this.#write([putIdentity({ ...this.store, condemned: reason })]);
  }

  /** Null for one that was never heard of. */
  peer(member: number): KnownPeer | null {
    return this.#peers.get(member) ?? null;
  }

  /** Remembers a peer at once; resolves when that is synced. */
  async meet(member: number, known: KnownPeer): Promise<void> {
    this.note(member, known);
    await this.#write(this.takeUnwritten());
  }

  /** Remembers a peer; it is stored with the next batch. */
  note(member: number, known: KnownPeer): void {
    this.#peers.set(member, known);
    this.#unwritten.add(member);
  }

  /** What the next batch takes along. A batch that fails ends the process, so nothing is taken back. */
  takeUnwritten(): Operation[] {
    const operations: Operation[] = [];
    for (const member of this.#unwritten) {
      const known = this.#peers.get(member);
      const key = peerKey(member);
      if (known !== undefined) operations.push({ type: "put", key, value: encodeIdentity(key, known) });
    }
    this.#unwritten.clear();
    return operations;
  }

  async #write(operations: Operation[]): Promise<void> {
    if (this.#database.status !== "open") throw new Error("the raft log is closed");
    await this.#database.batch(operations, { sync: true }).catch((error: unknown) => {
      throw this.#fail(error);
    });
  }
}

const NEVER_OPENED = { incarnation: 0, openings: [], recoveryEpoch: 0, condemned: null };

function putIdentity(stored: StoredIdentity): Operation {
  return { type: "put", key: IDENTITY_KEY, value: encodeIdentity(IDENTITY_KEY, stored) };
}

async function readPeers(database: LogDatabase, folder: string): Promise<Map<number, KnownPeer>> {
  const peers = new Map<number, KnownPeer>();
  const range = { gte: PEER_KEYS[0], lt: PEER_KEYS[1], fillCache: false } as const;
  for await (const [key, value] of database.iterator(range)) {
    const read = decodeIdentity<KnownPeer>(key, value);
    if (!read.ok) throw damage(folder, `what it knows of member ${memberOfKey(key)} ${read.fault}`);
    peers.set(memberOfKey(key), read.value);
  }
  return peers;
}
