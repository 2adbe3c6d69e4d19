import type { RaftBatch__Output } from "../../proto/gen/gpumesh/v1/RaftBatch.ts";
import type { RaftHello__Output } from "../../proto/gen/gpumesh/v1/RaftHello.ts";
import type { RaftMessage__Output } from "../../proto/gen/gpumesh/v1/RaftMessage.ts";
import type { Message } from "./core/core.ts";
import { helloFromWire } from "./hello-wire.ts";
import type { PeerGate } from "./peer-gate.ts";
import type { PeerHello } from "./peer-identity.ts";
import { RefusedStream } from "./refused-stream.ts";
import { fromWire } from "./wire.ts";

/** A sender's queue holds no more, so no honest batch does. */
const BATCH_MESSAGES_MAX = 4096;

export interface IncomingOptions {
  readonly isMember: (member: number) => boolean;
  readonly gate: () => PeerGate | null;
}

/** What one peer sends on one stream, as raft may take it. Whatever throws a RefusedStream ends the stream. */
export class IncomingStream {
  readonly #caller: number | null;
  readonly #options: IncomingOptions;
  #hello: PeerHello | null = null;
  #greeted = false;

  /** @param caller its true number; null for one that has none */
  constructor(caller: number | null, options: IncomingOptions) {
    this.#caller = caller;
    this.#options = options;
  }

  /** The sender was let in. */
  get open(): boolean {
    return this.#hello !== null;
  }

  /** Resolves with this member's own hello when the sender is let in. Rejects with a RefusedStream or a LogError. */
  async greet(wire: RaftHello__Output | null): Promise<PeerHello> {
    if (this.#greeted) throw new RefusedStream("malformed", "it goes on before it is let in");
    this.#greeted = true;
    const { caller, gate } = this.#checked();
    if (wire === null) throw new RefusedStream("malformed", "the stream begins without a hello");
    const read = helloFromWire(wire);
    if (!read.ok) throw new RefusedStream("malformed", read.fault);
    const refusal = await gate.admit(caller, read.hello);
    if (refusal !== null) throw new RefusedStream(refusal.reason, refusal.details);
    this.#hello = read.hello;
    return gate.hello();
  }

  /** The messages of a batch, one by one. */
  *read(batch: RaftBatch__Output): Generator<Message> {
    if (batch.hello !== null) throw new RefusedStream("malformed", "it says hello a second time");
    this.hear(batch.syncedBatch);
    const { length } = batch.messages;
    if (length > BATCH_MESSAGES_MAX) throw new RefusedStream("oversized", `a batch has ${length} messages`);
    for (const wire of batch.messages) yield this.message(wire, null);
  }

  /** Something came that rests on this batch of the sender's store. */
  hear(syncedBatch: number): void {
    const { caller, gate } = this.#checked();
    if (this.#hello === null) throw new RefusedStream("malformed", "it goes on before it is let in");
    if (!Number.isSafeInteger(syncedBatch) || syncedBatch < 0) {
      throw new RefusedStream("malformed", `its store can not be at batch ${syncedBatch}`);
    }
    const refusal = gate.hear(caller, this.#hello, syncedBatch);
    if (refusal !== null) throw new RefusedStream(refusal.reason, refusal.details);
  }

  /** A snapshot comes on a stream of its own: `alone` names the one type that is taken there, and nowhere else. */
  message(wire: RaftMessage__Output, alone: "MsgSnap" | null): Message {
    const read = fromWire(wire);
    if (!read.ok) throw new RefusedStream(read.reason, read.fault);
    const { type, from } = read.message;
    if ((type === "MsgSnap") !== (alone === "MsgSnap")) {
      throw new RefusedStream("malformed", `a ${type} came on the wrong stream`);
    }
    if (from !== this.#caller) throw new RefusedStream("member", `a message names ${from} as its sender`);
    return read.message;
  }

  /** Asked each time: members are removed while they send. */
  #checked(): { readonly caller: number; readonly gate: PeerGate } {
    const { isMember, gate } = this.#options;
    const caller = this.#caller;
    if (caller === null || !isMember(caller)) {
      throw new RefusedStream("member", "the caller is not a member of the raft group");
    }
    const judge = gate();
    if (judge === null) throw new RefusedStream("member", "this daemon is no raft member now");
    return { caller, gate: judge };
  }
}
