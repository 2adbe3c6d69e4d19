import { describe, expect, it } from "vitest";
import { message } from "./core/core.ts";
import type { Message, MessageType } from "./core/core.ts";
import { SendQueue } from "./send-queue.ts";

const limits = { queueMessagesMax: 4, queueBytesMax: 100_000, batchBytesMax: 1000, messageAgeMsMax: 50 };

function sent(type: MessageType, index: number, bytes = 0): Message {
  const entries =
    bytes === 0 ? [] : [{ term: 1, index, type: "EntryNormal", data: new Uint8Array(bytes) } as const];
  return message({ type, to: 2, from: 1, term: 1, index, entries });
}

const indexes = (messages: readonly Message[]): number[] => messages.map(({ index }) => index);

describe("SendQueue", () => {
  it("gives back in order what fits into one batch, and at least one message", () => {
    const queue = new SendQueue(limits);
    for (let index = 1; index <= 3; index++) queue.push(sent("MsgApp", index, 400), 0);
    queue.push(sent("MsgApp", 4, 5000), 0);
    expect(indexes(queue.take(0))).toEqual([1]);
    expect(indexes(queue.take(0))).toEqual([2]);
    expect(indexes(queue.take(0))).toEqual([3]);
    expect(indexes(queue.take(0))).toEqual([4]);
    expect(queue.take(0)).toEqual([]);
  });

  it("drops the oldest when it is full, votes last", () => {
    const queue = new SendQueue(limits);
    expect(queue.push(sent("MsgVote", 1), 0)).toBe(false);
    for (let index = 2; index <= 4; index++) expect(queue.push(sent("MsgHeartbeat", index), 0)).toBe(false);
    expect(queue.push(sent("MsgApp", 5), 0)).toBe(true);
    expect(indexes(queue.take(0))).toEqual([1, 3, 4, 5]);
    for (let index = 1; index <= 5; index++) queue.push(sent("MsgVote", index), 0);
    expect(indexes(queue.take(0))).toEqual([2, 3, 4, 5]);
  });

  it("keeps its limit of bytes", () => {
    const queue = new SendQueue(limits);
    expect(queue.push(sent("MsgApp", 1, 60_000), 0)).toBe(false);
    expect(queue.push(sent("MsgApp", 2, 60_000), 0)).toBe(true);
    expect(queue.push(sent("MsgApp", 3, 200_000), 0)).toBe(true);
    expect(queue.length).toBe(0);
  });

  it("leaves out what has waited too long", () => {
    const queue = new SendQueue(limits);
    queue.push(sent("MsgHeartbeat", 1), 0);
    queue.push(sent("MsgHeartbeat", 2), 30);
    expect(indexes(queue.take(51))).toEqual([2]);
    expect(queue.length).toBe(0);
  });
});
