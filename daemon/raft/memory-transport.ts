import type { Message } from "./core/core.ts";
import { StreamAdmission } from "./stream-admission.ts";
import type { Introduction, RaftTransport, SnapshotTransfer } from "./transport.ts";

/** Decides the fate of one message: dropped, or delivered after so many milliseconds. */
export type LinkRule = (message: Message) => "drop" | { readonly delayMs: number };

/**
 * A network inside one process, for tests and simulation. Messages between healthy members arrive in the order of
 * sending, in a later turn of the event loop.
 */
export class MemoryNetwork {
  readonly #members = new Map<number, MemoryTransport>();
  #groups: readonly ReadonlySet<number>[] = [];
  #rule: LinkRule = () => ({ delayMs: 0 });

  /** A transport for this member; it takes the place of an earlier one of the same number. */
  join(member: number): RaftTransport {
    const transport: MemoryTransport = new MemoryTransport(
      (message) => this.#carry(transport, message),
      (transfer) => this.#carrySnapshot(transport, transfer),
      () => {
        if (this.#members.get(member) === transport) this.#members.delete(member);
      },
    );
    this.#members.set(member, transport);
    return transport;
  }

  /** Ends a member as the end of its process does: nothing of it is sent any more, and who hears of it knows that. */
  crash(member: number): void {
    const crashed = this.#members.get(member);
    this.#members.delete(member);
    void crashed?.stop();
    for (const other of this.#members.keys()) this.tellGone(other, member);
  }

  /** Tells `listener` that the process of `member` is gone, true or not. Messages on their way arrive before. */
  tellGone(listener: number, member: number): void {
    setImmediate(() => {
      if (this.#connected(listener, member)) this.#members.get(listener)?.peerGone(member);
    });
  }

  /** From now on only members of one group hear each other; a member in no group hears nobody. */
  partition(...groups: readonly (readonly number[])[]): void {
    this.#groups = groups.map((group) => new Set(group));
  }

  /** Ends partitions and rules. */
  heal(): void {
    this.#groups = [];
    this.#rule = () => ({ delayMs: 0 });
  }

  /** Asks `rule` about each message that no partition stops. */
  setRule(rule: LinkRule): void {
    this.#rule = rule;
  }

  #carry(sender: MemoryTransport, message: Message): void {
    const fate = this.#rule(message);
    if (fate === "drop" || !this.#connected(message.from, message.to)) return;
    const batch = sender.introduction?.syncedBatch() ?? 0;
    const deliver = (): void => {
      if (!this.#connected(message.from, message.to)) return;
      this.#members.get(message.to)?.receive(sender, batch, message);
    };
    if (fate.delayMs === 0) setImmediate(deliver);
    else setTimeout(deliver, fate.delayMs);
  }

  async #carrySnapshot(sender: MemoryTransport, transfer: SnapshotTransfer): Promise<void> {
    const { message } = transfer;
    const check = (): void => {
      const cut = !this.#connected(message.from, message.to) || this.#rule(message) === "drop";
      if (cut) throw new Error(`member ${message.to} is cut off`);
    };
    check();
    const receiver = this.#members.get(message.to);
    if (receiver === undefined) throw new Error(`member ${message.to} does not run`);
    await receiver.receiveSnapshot(sender, { ...transfer, chunks: checked(transfer.chunks, check) });
  }

  #connected(from: number, to: number): boolean {
    return this.#groups.length === 0 || this.#groups.some((group) => group.has(from) && group.has(to));
  }
}

async function* checked<Chunk>(chunks: AsyncIterable<Chunk>, check: () => void): AsyncGenerator<Chunk> {
  for await (const chunk of chunks) {
    check();
    yield chunk;
  }
}

class MemoryTransport implements RaftTransport {
  readonly #carry: (message: Message) => void;
  readonly #carrySnapshot: (transfer: SnapshotTransfer) => Promise<void>;
  readonly #leave: () => void;
  introduction: Introduction | null = null;
  readonly #streams = new WeakMap<MemoryTransport, StreamAdmission>();
  #handler: (message: Message) => void = () => {};
  #snapshotHandler: (transfer: SnapshotTransfer) => Promise<void> = () => Promise.reject(stopped());
  #goneHandler: (member: number) => void = () => {};
  #stopped = false;

  constructor(
    carry: (message: Message) => void,
    carrySnapshot: (transfer: SnapshotTransfer) => Promise<void>,
    leave: () => void,
  ) {
    this.#carry = carry;
    this.#carrySnapshot = carrySnapshot;
    this.#leave = leave;
  }

  introduce(introduction: Introduction): void {
    this.introduction = introduction;
  }

  send(messages: readonly Message[]): void {
    if (this.#stopped || this.introduction === null) return;
    for (const message of messages) this.#carry(message);
  }

  async sendSnapshot(transfer: SnapshotTransfer): Promise<void> {
    await this.#carrySnapshot({ ...transfer, chunks: checked(transfer.chunks, () => this.#checkRuns()) });
  }

  async receiveSnapshot(sender: MemoryTransport, transfer: SnapshotTransfer): Promise<void> {
    const hello = sender.introduction?.gate.hello();
    const gate = this.introduction?.gate;
    if (hello === undefined || gate === undefined) throw stopped();
    const refusal = await gate.admit(hello.member, hello);
    if (refusal !== null) throw new Error(refusal.details);
    const chunks = checked(transfer.chunks, () => this.#checkRuns());
    await this.#snapshotHandler({ ...transfer, chunks });
  }

  onSnapshot(handler: (transfer: SnapshotTransfer) => Promise<void>): void {
    this.#snapshotHandler = handler;
  }

  /** @param batch of the sender's store, which the message may rest on */
  receive(sender: MemoryTransport, batch: number, message: Message): void {
    this.#streamOf(sender)?.take(batch, () => {
      if (!this.#stopped) this.#handler(message);
    });
  }

  #streamOf(sender: MemoryTransport): StreamAdmission | null {
    const known = this.#streams.get(sender);
    if (known !== undefined && !known.over) return known;
    const { introduction } = sender;
    if (introduction === null || this.introduction === null) return null;
    const stream = new StreamAdmission(this.introduction, introduction, (answer) => answer());
    this.#streams.set(sender, stream);
    return stream;
  }

  onMessage(handler: (message: Message) => void): void {
    this.#handler = handler;
  }

  onUnreachable(): void {
    // This network loses messages in silence.
  }

  onPeerGone(handler: (member: number) => void): void {
    this.#goneHandler = handler;
  }

  peerGone(member: number): void {
    if (!this.#stopped) this.#goneHandler(member);
  }

  setPeers(): void {
    // Every member of the network is known to it.
  }

  stop(): Promise<void> {
    this.#stopped = true;
    this.#leave();
    return Promise.resolve();
  }

  #checkRuns(): void {
    if (this.#stopped) throw stopped();
  }
}

function stopped(): Error {
  return new Error("the transport has stopped");
}
