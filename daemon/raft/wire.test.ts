import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadMesh } from "../../proto/load.ts";
import { message } from "./core/core.ts";
import type { Entry, Message, Snapshot } from "./core/core.ts";
import { fromWire, toWire, WIRE_TYPES } from "./wire.ts";

const method = loadMesh().Raft.service.Messages;

/** What a peer reads of the message, through the real encoding. */
function overTheWire(sent: Message): ReturnType<typeof fromWire> {
  const batch = method.requestDeserialize(method.requestSerialize({ messages: [toWire(sent)] }));
  return fromWire(batch.messages[0]!);
}

const natural = fc.oneof(fc.nat(), fc.maxSafeNat());
const memberNumber = fc.oneof(
  fc.integer({ min: 1, max: 9 }),
  fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
);
const members = fc.array(memberNumber, { maxLength: 5 });
const snapshot: fc.Arbitrary<Snapshot> = fc.record({
  data: fc.uint8Array(),
  metadata: fc.record({
    index: natural,
    term: natural,
    confState: fc.record({
      voters: members,
      votersOutgoing: members,
      learners: members,
      learnersNext: members,
      autoLeave: fc.boolean(),
    }),
  }),
});
const entries: fc.Arbitrary<readonly Omit<Entry, "index">[]> = fc.array(
  fc.record({
    term: natural,
    type: fc.constantFrom("EntryNormal" as const, "EntryConfChange" as const, "EntryConfChangeV2" as const),
    data: fc.uint8Array(),
  }),
  { maxLength: 5 },
);
const anyMessage: fc.Arbitrary<Message> = fc
  .record({
    type: fc.constantFrom(...WIRE_TYPES),
    to: memberNumber,
    from: memberNumber,
    term: natural,
    logTerm: natural,
    index: fc.maxSafeNat().map((index) => Math.min(index, Number.MAX_SAFE_INTEGER - 5)),
    entries,
    commit: natural,
    vote: natural,
    snapshot: fc.option(snapshot),
    reject: fc.boolean(),
    rejectHint: natural,
    context: fc.uint8Array(),
  })
  .map((fields) =>
    message({
      ...fields,
      entries: fields.entries.map((entry, nth) => ({ ...entry, index: fields.index + 1 + nth })),
    }),
  );

describe("wire", () => {
  it("carries every message unchanged", () => {
    fc.assert(
      fc.property(anyMessage, (sent) => {
        expect(overTheWire(sent)).toEqual({ ok: true, message: sent });
      }),
    );
  });

  const heartbeat = message({ type: "MsgHeartbeat", to: 2, from: 1, term: 1 });
  const entry: Entry = { term: 1, index: 1, type: "EntryNormal", data: new Uint8Array() };

  it.each<[string, Partial<Message>, string]>([
    ["a local type", { type: "MsgHup" }, 'type is "MsgHup"'],
    ["a storage type", { type: "MsgStorageAppendResp" }, 'type is "MsgStorageAppendResp"'],
    ["a forwarded proposal", { type: "MsgProp" }, 'type is "MsgProp"'],
    ["no sender", { from: 0 }, "from names no member"],
    ["a negative term", { term: -1 }, "term is -1"],
    ["an index past 2^53", { index: 2 ** 53 }, "index is 9007199254740992"],
    [
      "a gap before the entries",
      { type: "MsgApp", index: 4, entries: [entry] },
      "entries[0].index is 1, not 5",
    ],
  ])("refuses %s", (_name, change, fault) => {
    expect(overTheWire({ ...heartbeat, ...change })).toMatchObject({
      ok: false,
      fault: expect.stringContaining(fault) as string,
    });
  });

  it("refuses types that nobody knows", () => {
    const wire = { ...toWire(heartbeat), type: "MsgFuture", entries: [] };
    const batch = method.requestDeserialize(method.requestSerialize({ messages: [wire] }));
    expect(fromWire(batch.messages[0]!)).toMatchObject({ ok: false });
    const strange = { ...toWire(heartbeat), entries: [{ term: 1, index: 1, type: "EntryStrange" }] };
    const other = method.requestDeserialize(method.requestSerialize({ messages: [strange] }));
    expect(fromWire(other.messages[0]!)).toEqual({
      ok: false,
      reason: "malformed",
      fault: 'entries[0].type is "EntryStrange", which is not known here',
    });
  });
});
