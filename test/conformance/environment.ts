import {
  EMPTY_SNAPSHOT,
  LOCAL_APPEND_THREAD,
  MemoryStorage,
  RaftError,
  RawNode,
  decodeConfChange,
  describeMessage,
  describeReady,
  isEmptySnapshot,
  isLocalTarget,
  message,
} from "../../daemon/raft/core/core.ts";
import type {
  Config,
  Entry,
  HardState,
  Message,
  MessageType,
  Snapshot,
} from "../../daemon/raft/core/core.ts";
import { Refusal } from "./arguments.ts";
import { Output } from "./output.ts";

/** Far more than a script needs to come to rest: nodes that never do are stopped here. */
const STABILIZE_ROUNDS_MAX = 10_000;

/** A node's stable log. Snapshots for others are made of the newest applied state, on demand. */
class NodeStorage extends MemoryStorage {
  /** The state after each applied entry; the state machine appends the commands to each other. */
  readonly history: Snapshot[];

  constructor(initial: Snapshot) {
    super();
    this.history = [initial];
  }

  override snapshot(): Snapshot {
    return this.history.at(-1) ?? EMPTY_SNAPSHOT;
  }
}

export interface ScriptedNode {
  readonly id: number;
  readonly config: Config;
  readonly raw: RawNode;
  readonly storage: NodeStorage;
  readonly appendWork: Message[];
  readonly applyWork: Message[];
}

/** Whom to deliver messages to; those that are dropped are printed all the same. */
export interface Recipient {
  readonly id: number;
  readonly drop: boolean;
}

/** A group of nodes and the messages between them, moved only by explicit orders. Everything that happens is printed. */
export class Environment {
  readonly output = new Output();
  readonly nodes: ScriptedNode[] = [];
  #messages: Message[] = [];

  /** Adds a node that starts from `snapshot`, or from nothing when it is empty. */
  addNode(
    config: Omit<
      Config,
      "id" | "storage" | "logger" | "randomizedElectionTicks" | "leadsBeforeOwnVoteIsDurable"
    >,
    snapshot: Snapshot,
  ): void {
    const storage = new NodeStorage(snapshot);
    if (!isEmptySnapshot(snapshot)) storage.applySnapshot(snapshot);
    const full: Config = {
      ...config,
      id: this.nodes.length + 1,
      storage,
      logger: this.output,
      randomizedElectionTicks: (electionTick) => 2 * electionTick - 1,
      leadsBeforeOwnVoteIsDurable: true,
    };
    this.nodes.push({
      id: full.id,
      config: full,
      raw: new RawNode(full),
      storage,
      appendWork: [],
      applyWork: [],
    });
  }

  node(id: number): ScriptedNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  post(m: Message): void {
    this.#messages.push(m);
  }

  /** Delivers the messages for each recipient in turn and returns their number; errors of a node are printed. */
  deliver(recipients: readonly Recipient[], type?: MessageType): number {
    let delivered = 0;
    for (const recipient of recipients) {
      const due = this.#messages.filter((m) => isDue(m, recipient, type));
      this.#messages = this.#messages.filter((m) => !isDue(m, recipient, type));
      delivered += due.length;
      for (const m of due) {
        this.output.write(`${recipient.drop ? "dropped: " : ""}${describeMessage(m)}\n`);
        if (!recipient.drop) this.#step(m);
      }
    }
    return delivered;
  }

  processReady(id: number): void {
    const { raw, storage, config, appendWork, applyWork } = this.node(id);
    const ready = raw.ready();
    this.output.write(describeReady(ready));
    if (!config.asyncStorageWrites) {
      store(storage, ready.hardState, ready.entries, ready.snapshot);
      apply(this.node(id), ready.committedEntries);
    }
    for (const m of ready.messages) {
      if (!isLocalTarget(m.to)) this.post(m);
      else if (m.to === LOCAL_APPEND_THREAD) appendWork.push(m);
      else applyWork.push(m);
    }
    if (!config.asyncStorageWrites) raw.advance();
  }

  processAppendWork(id: number): void {
    const { appendWork, storage } = this.node(id);
    const work = appendWork.shift();
    if (work === undefined) {
      this.output.write("no append work to perform");
      return;
    }
    const { term, vote, commit, entries, snapshot } = work;
    const hardState = term === 0 && vote === 0 && commit === 0 ? null : { term, vote, commit };
    this.#finish(work, () => store(storage, hardState, entries, snapshot));
  }

  processApplyWork(id: number): void {
    const node = this.node(id);
    const work = node.applyWork.shift();
    if (work === undefined) {
      this.output.write("no apply work to perform");
      return;
    }
    this.#finish(work, () => apply(node, work.entries));
  }

  /** Works until these nodes have nothing left to do, in a fixed order of kinds of work and nodes. */
  stabilize(ids: readonly number[]): void {
    const inTurn = (title: string, isDue: (id: number) => boolean, work: (id: number) => void): boolean => {
      let worked = false;
      for (const id of ids) {
        if (!isDue(id)) continue;
        this.output.write(`> ${id} ${title}\n`);
        this.output.indented(() => work(id));
        worked = true;
      }
      return worked;
    };
    const whileAny = (queue: (id: number) => Message[], work: (id: number) => void) => (id: number) => {
      while (queue(id).length > 0) work(id);
    };
    const appendWork = (id: number): Message[] => this.node(id).appendWork;
    const applyWork = (id: number): Message[] => this.node(id).applyWork;
    let rounds = 0;
    for (let worked = true; worked;) {
      rounds += 1;
      if (rounds > STABILIZE_ROUNDS_MAX) {
        throw new Error(`the nodes did not come to rest in ${STABILIZE_ROUNDS_MAX} rounds`);
      }
      const kindsOfWork = [
        inTurn(
          "handling Ready",
          (id) => this.node(id).raw.hasReady(),
          (id) => this.processReady(id),
        ),
        inTurn(
          "receiving messages",
          (id) => this.#messages.some((m) => m.to === id),
          (id) => this.deliver([{ id, drop: false }]),
        ),
        inTurn(
          "processing append thread",
          (id) => appendWork(id).length > 0,
          whileAny(appendWork, (id) => this.processAppendWork(id)),
        ),
        inTurn(
          "processing apply thread",
          (id) => applyWork(id).length > 0,
          whileAny(applyWork, (id) => this.processApplyWork(id)),
        ),
      ];
      worked = kindsOfWork.includes(true);
    }
  }

  #step(m: Message): void {
    try {
      this.node(m.to).raw.step(m);
    } catch (error) {
      if (!(error instanceof RaftError)) throw error;
      this.output.write(`${error.message}\n`);
    }
  }

  #finish(work: Message, perform: () => void): void {
    this.output.write(`Processing:\n${describeMessage(message({ ...work, responses: [] }))}\n`);
    perform();
    this.output.write(`Responses:\n${work.responses.map((m) => `${describeMessage(m)}\n`).join("")}`);
    for (const m of work.responses) this.post(m);
  }
}

/** Messages within a node cannot be lost. */
function isDue(m: Message, { id, drop }: Recipient, type: MessageType | undefined): boolean {
  const isWithinNode = m.from === m.to || isLocalTarget(m.from) || isLocalTarget(m.to);
  return m.to === id && (type === undefined || m.type === type) && !(drop && isWithinNode);
}

function store(
  storage: MemoryStorage,
  hardState: HardState | null,
  entries: readonly Entry[],
  snapshot: Snapshot | null,
): void {
  if (hardState !== null) storage.setHardState(hardState);
  if (snapshot === null) {
    storage.append(entries);
    return;
  }
  if (entries.length > 0) throw new Refusal("can't apply snapshot and entries at the same time");
  storage.applySnapshot(snapshot);
}

function apply({ raw, storage }: ScriptedNode, entries: readonly Entry[]): void {
  for (const entry of entries) {
    const change = decodeConfChange(entry);
    const last = storage.snapshot();
    const confState = change === null ? last.metadata.confState : raw.applyConfChange(change);
    const update = change === null ? entry.data : change.context;
    storage.history.push({
      data: Uint8Array.of(...last.data, ...update),
      metadata: { index: entry.index, term: entry.term, confState },
    });
  }
}
