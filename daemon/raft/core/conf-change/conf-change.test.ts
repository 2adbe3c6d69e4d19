import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LEAVE_JOINT, asV2, decodeConfChange, effectOf, encodeConfChange } from "./conf-change.ts";
import type { ConfChange, ConfChangeTransition, ConfChangeType } from "./conf-change.ts";
import { describeConfChanges, parseConfChanges } from "./parse.ts";

const type = fc.constantFrom<ConfChangeType[]>(
  "ConfChangeAddNode",
  "ConfChangeRemoveNode",
  "ConfChangeUpdateNode",
  "ConfChangeAddLearnerNode",
);
const transition = fc.constantFrom<ConfChangeTransition[]>(
  "ConfChangeTransitionAuto",
  "ConfChangeTransitionJointImplicit",
  "ConfChangeTransitionJointExplicit",
);
const single = fc.record({ type, nodeId: fc.nat(100) });
const singles = fc.array(single, { maxLength: 4 });
const context = fc.uint8Array({ maxLength: 5 });
const confChange: fc.Arbitrary<ConfChange> = fc.oneof(
  fc.record({ kind: fc.constant("v1" as const), type, nodeId: fc.nat(100), context }),
  fc.record({ kind: fc.constant("v2" as const), transition, changes: singles, context }),
);

describe("configuration changes", () => {
  it("are read as they were written", () => {
    fc.assert(
      fc.property(confChange, (change) => {
        expect(decodeConfChange(encodeConfChange(change))).toEqual(change);
      }),
    );
  });

  it("take no bytes when they only leave a joint membership", () => {
    expect(encodeConfChange(LEAVE_JOINT)).toEqual({ type: "EntryConfChangeV2", data: new Uint8Array(0) });
  });

  it("are absent from normal entries", () => {
    expect(decodeConfChange({ type: "EntryNormal", data: new Uint8Array([1]) })).toBeNull();
  });

  it.each(["[]", '{"transition":"x","changes":[]}', '{"transition":"ConfChangeTransitionAuto"}', "null"])(
    "are refused when they are damaged: %s",
    (json) => {
      const data = new TextEncoder().encode(json);
      expect(() => decodeConfChange({ type: "EntryConfChangeV2", data })).toThrow("configuration change");
    },
  );

  it("are written and read in short", () => {
    fc.assert(
      fc.property(singles, (changes) => {
        expect(parseConfChanges(describeConfChanges(changes))).toEqual(changes);
      }),
    );
  });

  it.each([
    ["v1 x2", "unknown input: x2"],
    ["v", "unknown token v"],
    ["v1  v2", "unknown token "],
    ["vx", 'strconv.ParseUint: parsing "x": invalid syntax'],
    ["v1\nv2", 'strconv.ParseUint: parsing "1\\nv2": invalid syntax'],
    ["v99999999999999999999", 'strconv.ParseUint: parsing "99999999999999999999": value out of range'],
  ])("%j is refused", (text, reason) => {
    expect(() => parseConfChanges(text)).toThrow(expect.objectContaining({ message: reason }));
  });
});

describe("the effect of a change", () => {
  it.each([
    ["ConfChangeTransitionAuto", 0, { kind: "leave-joint" }],
    ["ConfChangeTransitionAuto", 1, { kind: "simple" }],
    ["ConfChangeTransitionAuto", 2, { kind: "enter-joint", autoLeave: true }],
    ["ConfChangeTransitionJointImplicit", 1, { kind: "enter-joint", autoLeave: true }],
    ["ConfChangeTransitionJointExplicit", 1, { kind: "enter-joint", autoLeave: false }],
  ] as const)("of %s with %d changes", (mode, count, effect) => {
    const changes = parseConfChanges("v2 v3").slice(0, count);
    expect(effectOf({ kind: "v2", transition: mode, changes, context: new Uint8Array(0) })).toEqual(effect);
  });

  it("of a single change of the first version is simple", () => {
    const change: ConfChange = {
      kind: "v1",
      type: "ConfChangeAddNode",
      nodeId: 2,
      context: new Uint8Array(0),
    };
    expect(effectOf(asV2(change))).toEqual({ kind: "simple" });
  });
});
