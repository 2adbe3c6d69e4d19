import fc from "fast-check";
import { expect, it } from "vitest";
import { canonicalState } from "../../scheduler/state/digest.ts";
import { ReplicatedState } from "./replicated-state.ts";
import { encodeCommand } from "./store.ts";
import { tokenCommand } from "./store-contract.ts";

/** What a database would hold. */
function store(state: ReplicatedState, records: Map<string, Uint8Array>): void {
  for (const { key, value } of state.takeChanges()) {
    if (value === null) records.delete(key);
    else records.set(key, value);
  }
}

function restored(records: ReadonlyMap<string, Uint8Array>): ReplicatedState {
  const state = new ReplicatedState();
  const restoration = state.restore();
  for (const [key, value] of records) restoration.put(key, value);
  restoration.finish();
  return state;
}

it("is the same after any restart from what it gave to be stored, and goes on alike", () => {
  const step = fc.record({ gap: fc.integer({ min: 1, max: 3 }), nth: fc.nat(5), restarts: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const records = new Map<string, Uint8Array>();
      const model = new ReplicatedState();
      let state = new ReplicatedState();
      let index = 0;
      for (const { gap, nth, restarts } of steps) {
        index += gap;
        const entry = { index, term: 1, data: encodeCommand(tokenCommand(nth)) };
        expect(state.apply(entry)).toEqual(model.apply(entry));
        if (!restarts) continue;
        store(state, records);
        state = restored(records);
        expect(canonicalState(state.view)).toBe(canonicalState(model.view));
        expect(state.takeChanges()).toEqual([]);
      }
    }),
  );
});

it("refuses a record under another's key", () => {
  const restoration = new ReplicatedState().restore();
  const token = { kind: "token", token: { id: "a", secretHash: "h", expiresAt: 1 } };
  expect(() => restoration.put("token/b", Buffer.from(JSON.stringify(token)))).toThrow(/token\/b/);
});
