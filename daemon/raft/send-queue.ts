import type { Message, MessageType } from "./core/core.ts";

export interface SendQueueLimits {
  readonly queueMessagesMax: number;
  readonly queueBytesMax: number;
  /** One batch holds at most this, or one message that is larger by itself. */
  readonly batchBytesMax: number;
  /** A message that waited longer is dropped: raft has sent a newer one in its place. */
  readonly messageAgeMsMax: number;
}

/** Dropped last: without these no leader is found, and they are sent once. */
const ESSENTIAL: ReadonlySet<MessageType> = new Set([
  "MsgVote",
  "MsgVoteResp",
  "MsgPreVote",
  "MsgPreVoteResp",
  "MsgTimeoutNow",
]);
const MESSAGE_OVERHEAD_BYTES = 96;
const ENTRY_OVERHEAD_BYTES = 48;

interface Waiting {
  readonly message: Message;
  readonly bytes: number;
  readonly since: number;
}

/** Messages to one peer that wait to be written, bounded in number, bytes and age. Times are monotonic milliseconds. */
export class SendQueue {
  readonly #limits: SendQueueLimits;
  #waiting: Waiting[] = [];
  #bytes = 0;

  constructor(limits: SendQueueLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Adds a message. True if others (or, when it alone is too large, itself) were dropped to keep the limits. */
  push(message: Message, now: number): boolean {
    const added = { message, bytes: messageBytes(message), since: now };
    this.#waiting.push(added);
    this.#bytes += added.bytes;
    let dropped = false;
    while (this.#waiting.length > this.#limits.queueMessagesMax || this.#bytes > this.#limits.queueBytesMax) {
      const victim = this.#waiting.findIndex((waiting) => !ESSENTIAL.has(waiting.message.type));
      const gone = this.#waiting.splice(Math.max(victim, 0), 1);
      for (const { bytes } of gone) this.#bytes -= bytes;
      dropped = true;
    }
    return dropped;
  }

  /** Removes the next batch, oldest first, without what is too old. */
  take(now: number): readonly Message[] {
    const batch: Message[] = [];
    let bytes = 0;
    let taken = 0;
    for (const waiting of this.#waiting) {
      const fresh = now - waiting.since <= this.#limits.messageAgeMsMax;
      if (fresh && batch.length > 0 && bytes + waiting.bytes > this.#limits.batchBytesMax) break;
      taken++;
      this.#bytes -= waiting.bytes;
      if (!fresh) continue;
      bytes += waiting.bytes;
      batch.push(waiting.message);
    }
    this.#waiting = this.#waiting.slice(taken);
    return batch;
  }

  clear(): void {
    this.#waiting = [];
    this.#bytes = 0;
  }
}

/** About what the message takes on the wire. */
function messageBytes(message: Message): number {
  let bytes = MESSAGE_OVERHEAD_BYTES + (message.snapshot?.data.length ?? 0);
  for (const entry of message.entries) bytes += ENTRY_OVERHEAD_BYTES + entry.data.length;
  return bytes;
}
