import { EMPTY_BYTES, MemoryStorage, RawNode, message } from "./core.ts";
import type { Config, Entry, HardState, Message, Ready } from "./core.ts";

/** A node alone on a bench: messages go in by hand, and what it would send comes out. Synchronous mode. */
export class Bench {
  readonly raw: RawNode;
  readonly storage = new MemoryStorage();
  readonly committed: Entry[] = [];
  readonly readys: Ready[] = [];

  /**
   * @param terms the terms of the entries that are in the log; entry i has `terms[i - 1]`, and the entries from 2 on are
   *   stored: entry 1 stands for the snapshot with the members.
   */
  constructor(options: {
    readonly id?: number;
    readonly voters?: readonly number[];
    readonly learners?: readonly number[];
    readonly terms?: readonly number[];
    readonly hardState?: Partial<HardState>;
    readonly config?: Partial<Config>;
  }) {
    const { id = 1, voters = [1, 2, 3], learners = [], terms = [1], hardState, config } = options;
    const confState = { voters, votersOutgoing: [], learners, learnersNext: [], autoLeave: false };
    this.storage.applySnapshot({ data: EMPTY_BYTES, metadata: { index: 1, term: terms[0]!, confState } });
    this.storage.append(
      terms.map((term, nth) => ({ term, index: nth + 1, type: "EntryNormal", data: EMPTY_BYTES })),
    );
    this.storage.setHardState({ term: terms.at(-1)!, vote: 0, commit: 1, ...hardState });
    this.raw = new RawNode({
      id,
      electionTick: 10,
      heartbeatTick: 1,
      storage: this.storage,
      randomizedElectionTicks: (ticks) => ticks,
      maxSizePerMsg: Infinity,
      maxInflightMsgs: 256,
      applied: 1,
      ...config,
    });
  }

  /** Does everything that the node wants done, and returns what it sent. */
  work(): readonly Message[] {
    const sent: Message[] = [];
    while (this.raw.hasReady()) {
      const ready = this.raw.ready();
      this.readys.push(ready);
      if (ready.hardState !== null) this.storage.setHardState(ready.hardState);
      if (ready.snapshot !== null) this.storage.applySnapshot(ready.snapshot);
      this.storage.append(ready.entries);
      this.committed.push(...ready.committedEntries);
      sent.push(...ready.messages);
      this.raw.advance();
    }
    return sent;
  }

  /** Steps messages to the node at its own term, unless they say otherwise, and returns what it sent. */
  receive(...messages: readonly (Pick<Message, "type" | "from"> & Partial<Message>)[]): readonly Message[] {
    const { id, term } = this.raw.status();
    for (const fields of messages) this.raw.step(message({ to: id, term, ...fields }));
    return this.work();
  }

  tick(count: number): readonly Message[] {
    for (let ticks = 0; ticks < count; ticks += 1) this.raw.tick();
    return this.work();
  }

  /** Makes the node leader of the next term, with the votes of these nodes; its opening entry is not committed. */
  elect(...supporters: readonly number[]): readonly Message[] {
    this.raw.campaign();
    const requests = this.work();
    const isPreVote = requests.some(({ type }) => type === "MsgPreVote");
    if (isPreVote) {
      const term = this.raw.status().term + 1;
      this.receive(...supporters.map((from) => ({ type: "MsgPreVoteResp" as const, from, term })));
    }
    return this.receive(...supporters.map((from) => ({ type: "MsgVoteResp" as const, from })));
  }

  propose(text: string): readonly Message[] {
    this.raw.propose(new TextEncoder().encode(text));
    return this.work();
  }

  /** The terms of all entries in the stored log, from entry 2 on. */
  logTerms(): readonly number[] {
    const { storage } = this;
    const entries = storage.entries(storage.firstIndex(), storage.lastIndex() + 1, Infinity);
    return typeof entries === "string" ? [] : entries.map(({ term }) => term);
  }
}
