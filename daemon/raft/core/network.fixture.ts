import { parseConfChanges } from "./conf-change/parse.ts";
import {
  EMPTY_BYTES,
  LOCAL_APPEND_THREAD,
  MemoryStorage,
  RaftError,
  RawNode,
  decodeConfChange,
  isLocalTarget,
} from "./core.ts";
import type { ConfState, Config, Entry, Message, ReadState, SoftState } from "./core.ts";

/** Steps after which a network that never comes to rest is taken for a livelock. */
const SETTLE_ROUNDS_MAX = 10_000;

/**
 * A group of nodes with asynchronous storage writes: a write becomes durable, and a message arrives, only when told to.
 * Everything is deterministic. After each step the safety properties of raft are checked (extended paper, figure 3).
 */
export class Network {
  readonly members = new Map<number, Member>();
  readonly #ids: readonly number[];
  readonly #config: Partial<Config>;
  readonly #cuts = new Set<string>();
  readonly #leaderOfTerm = new Map<number, number>();
  readonly #appliedAt = new Map<number, string>();
  #random = 1;
  /** How many voters there are; undefined when that may have changed. */
  #voters: number | undefined;
  inFlight: Message[] = [];

  /** @param spares nodes that are no members at first; they start with nothing */
  constructor(voters: number, config: Partial<Config> = {}, spares = 0) {
    const ids = Array.from({ length: voters + spares }, (_, nth) => nth + 1);
    this.#ids = ids;
    this.#voters = voters;
    this.#config = config;
    for (const id of ids) {
      const storage = id <= voters ? initialStorage(ids.slice(0, voters)) : new MemoryStorage();
      this.members.set(id, this.#start(id, storage));
    }
  }

  member(id: number): Member {
    return this.members.get(id)!;
  }

  /** The node that leads at the highest term, if any. */
  leader(): Member | undefined {
    return [...this.members.values()]
      .filter((member) => member.status().raftState === "StateLeader")
      .toSorted((left, right) => right.status().term - left.status().term)[0];
  }

  /** Proposes changes as in "v4 r1"; one that does not fit becomes an empty entry. */
  proposeConfChange(id: number, changes: string): void {
    this.#voters = undefined;
    this.member(id).raw.proposeConfChange({
      kind: "v2",
      transition: "ConfChangeTransitionAuto",
      changes: parseConfChanges(changes),
      context: EMPTY_BYTES,
    });
  }

  /** Drops what one node sends to the other from now on. */
  cut(from: number, to: number): void {
    this.#cuts.add(`${from}->${to}`);
  }

  isolate(id: number): void {
    for (const other of this.#ids) {
      this.cut(id, other);
      this.cut(other, id);
    }
  }

  heal(): void {
    this.#cuts.clear();
  }

  /** Takes the Readys of a node; what they ask for waits for `persist`, `apply` and `deliver`. */
  collect(id: number): void {
    const member = this.member(id);
    for (const m of member.collect()) {
      this.#send(m);
    }
    for (const { raftState } of member.takeSoftStates()) {
      if (raftState === "StateLeader") this.#checkOneLeader(id, member.status().term);
    }
  }

  /** Makes the oldest waiting write of a node durable. */
  persist(id: number): void {
    this.#route(id, this.member(id).persist());
  }

  /** Applies the oldest waiting committed entries of a node. */
  apply(id: number): void {
    const member = this.member(id);
    const from = member.applied.length;
    const responses = member.apply();
    for (const entry of member.applied.slice(from)) this.#checkApplied(entry);
    this.#route(id, responses);
  }

  /** Delivers one message in flight, by default the oldest. */
  deliver(nth = 0): void {
    const [m] = this.inFlight.splice(nth, 1);
    if (m === undefined) return;
    this.member(m.to).step(m);
    if (m.type === "MsgSnap") this.member(m.from).raw.reportSnapshot(m.to, true);
  }

  /** Loses one message in flight; the sender of a snapshot gets to know. */
  lose(nth: number): void {
    const [m] = this.inFlight.splice(nth, 1);
    if (m?.type === "MsgSnap") this.member(m.from).raw.reportSnapshot(m.to, false);
  }

  tick(id: number, count = 1): void {
    for (let ticks = 0; ticks < count; ticks += 1) {
      this.member(id).tick();
      this.collect(id);
    }
  }

  /** Ticks all nodes in turn, and lets everything settle after each round. */
  pass(ticks: number): void {
    for (let round = 0; round < ticks; round += 1) {
      for (const id of this.#ids) this.tick(id);
      this.settle();
    }
  }

  /** Persists, applies and delivers until nothing is left to do. */
  settle(): void {
    for (let round = 0; round < SETTLE_ROUNDS_MAX; round += 1) {
      for (const id of this.#ids) this.collect(id);
      const busy = this.#ids.filter((id) => this.member(id).hasWork);
      if (busy.length === 0 && this.inFlight.length === 0) return;
      for (const id of busy) {
        if (this.member(id).hasAppendWork) this.persist(id);
        if (this.member(id).hasApplyWork) this.apply(id);
      }
      for (let left = this.inFlight.length; left > 0; left -= 1) this.deliver();
    }
    throw new Error(`the network did not settle in ${SETTLE_ROUNDS_MAX} rounds`);
  }

  /** Stops a node at once, with the loss of all that was not durable, and starts it again from its storage. */
  crash(id: number): void {
    this.members.set(id, this.#start(id, this.member(id).storage));
  }

  #start(id: number, storage: MemoryStorage): Member {
    const raw = new RawNode({
      id,
      electionTick: 10,
      heartbeatTick: 2,
      storage,
      randomizedElectionTicks: (ticks) => ticks + (this.#nextRandom() % ticks),
      maxSizePerMsg: 1024,
      maxInflightMsgs: 16,
      asyncStorageWrites: true,
      preVote: true,
      checkQuorum: true,
      applied: storage.snapshot().metadata.index,
      ...this.#config,
    });
    return new Member(raw, storage);
  }

  #send(m: Message): void {
    this.inFlight.push(m);
    if (this.#cuts.has(`${m.from}->${m.to}`)) this.lose(this.inFlight.length - 1);
  }

  /** A linear congruential generator; its low bits are poor and are cut off. */
  #nextRandom(): number {
    this.#random = (Math.imul(this.#random, 1_103_515_245) + 12_345) >>> 0;
    return this.#random >>> 16;
  }

  #route(id: number, responses: readonly Message[]): void {
    for (const m of responses) {
      if (m.to === id) this.member(id).step(m);
      else this.#send(m);
    }
  }

  /** Election safety: at most one leader a term. */
  #checkOneLeader(id: number, term: number): void {
    const known = this.#leaderOfTerm.get(term) ?? id;
    if (known !== id) throw new Error(`nodes ${known} and ${id} both lead at term ${term}`);
    this.#leaderOfTerm.set(term, id);
  }

  /** State machine safety, and that what is applied is durable on a majority. */
  #checkApplied({ index, term, data }: Entry): void {
    const content = `${term} ${data.join()}`;
    const known = this.#appliedAt.get(index) ?? content;
    if (known !== content) throw new Error(`index ${index} was applied as "${known}" and as "${content}"`);
    this.#appliedAt.set(index, content);
    if (this.#voters === undefined) return;
    const durable = [...this.members.values()].filter(({ storage }) => {
      return storage.term(index) === term || storage.term(index) === "compacted";
    }).length;
    if (2 * durable <= this.#voters)
      throw new Error(`index ${index} is applied, and durable on ${durable} only`);
  }
}

/** One node with its storage, and what it has asked for. */
export class Member {
  readonly storage: MemoryStorage;
  readonly applied: Entry[] = [];
  readonly readStates: ReadState[] = [];
  readonly #raw: RawNode;
  readonly #appendWork: Message[] = [];
  readonly #applyWork: Message[] = [];
  #softStates: SoftState[] = [];
  #appliedIndex: number;
  #confState: ConfState;

  constructor(raw: RawNode, storage: MemoryStorage) {
    this.#raw = raw;
    this.storage = storage;
    const { index, confState } = storage.snapshot().metadata;
    this.#appliedIndex = index;
    this.#confState = confState;
  }

  get raw(): RawNode {
    return this.#raw;
  }

  get hasAppendWork(): boolean {
    return this.#appendWork.length > 0;
  }

  get hasApplyWork(): boolean {
    return this.#applyWork.length > 0;
  }

  get hasWork(): boolean {
    return this.hasAppendWork || this.hasApplyWork;
  }

  status(): ReturnType<RawNode["status"]> {
    return this.#raw.status();
  }

  tick(): void {
    this.#raw.tick();
  }

  /** Takes a message; a refusal, such as that of a forwarded proposal, is the sender's loss. */
  step(m: Message): void {
    try {
      this.#raw.step(m);
    } catch (error) {
      if (!(error instanceof RaftError)) throw error;
    }
  }

  propose(text: string): void {
    this.#raw.propose(new TextEncoder().encode(text));
  }

  /** The commands that were applied, without the empty entries that open a term. */
  commands(): readonly string[] {
    return this.applied
      .filter(({ type, data }) => type === "EntryNormal" && data.length > 0)
      .map(({ data }) => new TextDecoder().decode(data));
  }

  collect(): readonly Message[] {
    const sent: Message[] = [];
    while (this.#raw.hasReady()) {
      const { messages, readStates, softState } = this.#raw.ready();
      if (softState !== null) this.#softStates.push(softState);
      this.readStates.push(...readStates);
      for (const m of messages) {
        if (!isLocalTarget(m.to)) sent.push(m);
        else (m.to === LOCAL_APPEND_THREAD ? this.#appendWork : this.#applyWork).push(m);
      }
    }
    return sent;
  }

  takeSoftStates(): readonly SoftState[] {
    const states = this.#softStates;
    this.#softStates = [];
    return states;
  }

  persist(): readonly Message[] {
    const work = this.#appendWork.shift();
    if (work === undefined) return [];
    const { term, vote, commit, entries, snapshot, responses } = work;
    if (term !== 0) this.storage.setHardState({ term, vote, commit });
    if (snapshot !== null) {
      this.storage.applySnapshot(snapshot);
      this.#appliedIndex = snapshot.metadata.index;
      this.#confState = snapshot.metadata.confState;
    }
    this.storage.append(entries);
    return responses;
  }

  /** Replaces all entries that are applied by a snapshot. */
  compact(): void {
    this.#makeSnapshot();
    if (this.#appliedIndex >= this.storage.firstIndex()) this.storage.compact(this.#appliedIndex);
  }

  #makeSnapshot(): void {
    if (this.#appliedIndex <= this.storage.snapshot().metadata.index) return;
    this.storage.createSnapshot(this.#appliedIndex, this.#confState, EMPTY_BYTES);
  }

  apply(): readonly Message[] {
    const work = this.#applyWork.shift();
    if (work === undefined) return [];
    for (const entry of work.entries) {
      const change = decodeConfChange(entry);
      this.applied.push(entry);
      this.#appliedIndex = entry.index;
      if (change === null) continue;
      this.#confState = this.#raw.applyConfChange(change);
      // A member that is added takes only a snapshot that has it.
      this.#makeSnapshot();
    }
    return work.responses;
  }
}

function initialStorage(voters: readonly number[]): MemoryStorage {
  const storage = new MemoryStorage();
  const confState = { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
  storage.applySnapshot({ data: EMPTY_BYTES, metadata: { index: 1, term: 1, confState } });
  storage.setHardState({ term: 1, vote: 0, commit: 1 });
  return storage;
}
