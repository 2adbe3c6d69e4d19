import { describe, expect, it } from "vitest";
import { message } from "./message.ts";
import type { Message } from "./message.ts";
import { ReadIndexQueue } from "./read-index.ts";

const voters = { incoming: new Set([1, 2, 3]), outgoing: new Set<number>() };
const request = (text: string): Message => {
  const data = new TextEncoder().encode(text);
  return message({
    type: "MsgReadIndex",
    to: 1,
    entries: [{ term: 0, index: 0, type: "EntryNormal", data }],
  });
};
const names = (queue: ReadIndexQueue): string[] => {
  return queue
    .takeConfirmed(voters)
    .map(({ request: { entries } }) => new TextDecoder().decode(entries[0]!.data));
};

describe("the queue of read requests", () => {
  it("confirms a request when a quorum has answered its round", () => {
    const queue = new ReadIndexQueue();
    queue.add(request("a"), 7, 1);
    expect(names(queue)).toEqual([]);
    queue.acknowledge(2, queue.heartbeatContext());
    expect(names(queue)).toEqual(["a"]);
    expect(queue.heartbeatContext()).toHaveLength(0);
  });

  it("confirms older requests with a newer round, in their order", () => {
    const queue = new ReadIndexQueue();
    queue.add(request("a"), 7, 1);
    queue.add(request("b"), 8, 1);
    queue.acknowledge(3, queue.heartbeatContext());
    expect(names(queue)).toEqual(["a", "b"]);
  });

  it("does not take an answer to an older round for a request that is repeated with the same context", () => {
    const queue = new ReadIndexQueue();
    queue.add(request("a"), 7, 1);
    const firstRound = queue.heartbeatContext();
    queue.acknowledge(2, firstRound);
    expect(names(queue)).toEqual(["a"]);
    queue.add(request("a"), 7, 1);
    queue.acknowledge(3, firstRound);
    queue.acknowledge(2, firstRound);
    expect(names(queue)).toEqual([]);
    queue.acknowledge(3, queue.heartbeatContext());
    expect(names(queue)).toEqual(["a"]);
  });

  it("does not confirm after a reset what was answered before", () => {
    const queue = new ReadIndexQueue();
    queue.add(request("a"), 7, 1);
    const before = queue.heartbeatContext();
    queue.reset();
    queue.add(request("b"), 9, 1);
    queue.acknowledge(2, before);
    expect(names(queue)).toEqual([]);
  });

  it("needs both halves of a joint membership, and no answer of others", () => {
    const joint = { incoming: new Set([1, 2, 3]), outgoing: new Set([4]) };
    const queue = new ReadIndexQueue();
    queue.add(request("a"), 7, 1);
    queue.acknowledge(2, queue.heartbeatContext());
    queue.acknowledge(9, queue.heartbeatContext());
    expect(queue.takeConfirmed(joint)).toHaveLength(0);
    queue.acknowledge(4, queue.heartbeatContext());
    expect(queue.takeConfirmed(joint)).toHaveLength(1);
  });

  it("ignores a context that is not a round", () => {
    const queue = new ReadIndexQueue();
    queue.add(request("a"), 7, 1);
    queue.acknowledge(2, new Uint8Array([1]));
    expect(names(queue)).toEqual([]);
  });

  it("is full at its limit", () => {
    const queue = new ReadIndexQueue();
    for (let added = 0; added < 4096; added += 1) {
      expect(queue.isFull).toBe(false);
      queue.hold(request("a"));
    }
    expect(queue.isFull).toBe(true);
  });
});
