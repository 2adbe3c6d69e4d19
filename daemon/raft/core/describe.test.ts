import { describe, expect, it } from "vitest";
import {
  EMPTY_BYTES,
  LOCAL_APPEND_THREAD,
  describeEntry,
  describeMessage,
  describeReady,
  message,
  quoteBytes,
} from "./core.ts";
import type { Entry, Ready } from "./core.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const entry = (index: number, text: string): Entry => ({
  term: 1,
  index,
  type: "EntryNormal",
  data: bytes(text),
});
const confState = { voters: [1, 2], votersOutgoing: [1], learners: [], learnersNext: [3], autoLeave: true };

describe("descriptions", () => {
  it.each([
    ["plain", '"plain"'],
    ['a "b" \\', '"a \\"b\\" \\\\"'],
    ["tab\tline\nbell\u0007", '"tab\\tline\\nbell\\a"'],
    ["\u0000\u001b\u007f", '"\\x00\\x1b\\x7f"'],
    ["größe ∞ 🍌", '"größe ∞ 🍌"'],
    ["\u00a0\u200b\ue000\u{f0000}", '"\\u00a0\\u200b\\ue000\\U000f0000"'],
  ])("quote %j", (text, quoted) => {
    expect(quoteBytes(bytes(text))).toBe(quoted);
  });

  it("of a message name only what is set, and indent what it carries", () => {
    expect(describeMessage(message({ type: "MsgHeartbeat", from: 1, to: 10, term: 2 }))).toBe(
      "1->a MsgHeartbeat Term:2 Log:0/0",
    );
    const response = message({
      type: "MsgAppResp",
      from: 1,
      to: 2,
      term: 1,
      index: 4,
      reject: true,
      rejectHint: 3,
    });
    const entries = [entry(4, "x"), entry(5, "")];
    const append = message({
      type: "MsgStorageAppend",
      to: LOCAL_APPEND_THREAD,
      from: 1,
      entries,
      responses: [response],
    });
    expect(describeMessage(append)).toBe(
      [
        "1->AppendThread MsgStorageAppend Term:0 Log:0/0 Entries:[",
        '  1/4 EntryNormal "x"',
        '  1/5 EntryNormal ""',
        "] Responses:[",
        "  1->2 MsgAppResp Term:1 Log:0/4 Rejected (Hint: 3)",
        "]",
      ].join("\n"),
    );
    const snapshot = { data: EMPTY_BYTES, metadata: { index: 9, term: 3, confState } };
    expect(describeMessage(message({ type: "MsgSnap", from: 0, to: 2, snapshot }))).toBe(
      "None->2 MsgSnap Term:0 Log:0/0\n" +
        "  Snapshot: Index:9 Term:3 ConfState:Voters:[1 2] VotersOutgoing:[1] Learners:[] LearnersNext:[3] AutoLeave:true",
    );
  });

  it("of an entry show a configuration change decoded", () => {
    expect(describeEntry({ term: 1, index: 2, type: "EntryConfChangeV2", data: EMPTY_BYTES })).toBe(
      "1/2 EntryConfChangeV2",
    );
    const data = bytes('{"type":"ConfChangeRemoveNode","nodeId":3}');
    expect(describeEntry({ term: 1, index: 2, type: "EntryConfChange", data })).toBe(
      "1/2 EntryConfChange r3",
    );
  });

  it("of a Ready show its parts in the order of the caller's duties", () => {
    const empty: Ready = {
      softState: null,
      hardState: null,
      readStates: [],
      entries: [],
      snapshot: null,
      committedEntries: [],
      messages: [],
      mustSync: false,
    };
    expect(describeReady(empty)).toBe("<empty Ready>");
    const full: Ready = {
      ...empty,
      softState: { lead: 1, raftState: "StateFollower" },
      hardState: { term: 2, vote: 0, commit: 4 },
      readStates: [{ index: 4, requestCtx: bytes("ab") }],
      entries: [entry(5, "x")],
      committedEntries: [entry(4, "w")],
      messages: [message({ type: "MsgAppResp", from: 2, to: 1, term: 2, index: 5 })],
      mustSync: true,
    };
    expect(describeReady(full)).toBe(
      [
        "Ready MustSync=true:",
        "Lead:1 State:StateFollower",
        "HardState Term:2 Commit:4",
        "ReadStates [{4 [97 98]}]",
        "Entries:",
        '1/5 EntryNormal "x"',
        "CommittedEntries:",
        '1/4 EntryNormal "w"',
        "Messages:",
        "2->1 MsgAppResp Term:2 Log:0/5",
        "",
      ].join("\n"),
    );
  });
});
